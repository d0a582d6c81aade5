"""Prompts: the messages that a template renders to, and the one text in which a person reads them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from daydreaming.base.errors import GenerationError
from daydreaming.inputs.template_sources import TemplateSource
from daydreaming.inputs.templates import CompiledTemplate, compile_template, render, template_error

ROLES = ("system", "user", "assistant")
Message: TypeAlias = Mapping[str, str]
# Nobody who writes a text can know it: what is filled into a template makes no message.
_MARK = secrets.token_hex(16)
_MARKS = re.compile(rf"\x00{_MARK}:(begin|end):({'|'.join(ROLES)})\x00")
_SHOWN = 40


class Prompt(str):
    """A prompt as prompt.txt shows it, and the messages that are sent.

    One message of the user is shown as it is; several each under a line with their role.
    """

    __slots__ = ("messages",)
    messages: tuple[Message, ...]

    def __new__(cls, messages: Sequence[Message]) -> Prompt:
        """Make a prompt of messages, each with `role` and `content`."""
        if [message["role"] for message in messages] == ["user"]:
            text = messages[0]["content"]
        else:
            text = "\n".join(f"===== {message['role']} =====\n{message['content']}\n" for message in messages)
        prompt = super().__new__(cls, text)
        prompt.messages = tuple(messages)
        return prompt


def user_message(text: str) -> Message:
    """A message of the user."""
    return {"role": "user", "content": text}


def messages_of(prompt: str) -> tuple[Message, ...]:
    """The messages of a prompt; a mere text is one of the user."""
    return prompt.messages if isinstance(prompt, Prompt) else (user_message(prompt),)


@dataclass(frozen=True, slots=True)
class CompiledPrompt:
    """A template ready to render to a prompt."""

    body: CompiledTemplate
    system: CompiledTemplate | None


def compile_prompt(source: TemplateSource) -> CompiledPrompt:
    """Compile what a template is rendered from. Raises GenerationError (kind `template`) as `compile_template` does."""
    shared = {one.name: (one.path, one.text) for one in source.shared}
    body = compile_template(source.body, source.name, line=source.line, shared=shared)
    if source.system is None:
        return CompiledPrompt(body, None)
    return CompiledPrompt(body, compile_template(source.system, source.name, line=source.system_line, shared=shared))


def render_prompt(compiled: CompiledPrompt, values: Mapping[str, Any]) -> Prompt:
    """Fill in a template.

    Raises GenerationError (kind `template`) as `render` does, and where its sections are no messages that can be sent.
    """
    name, text = compiled.body.name, render(compiled.body, values)
    messages = list(_sections(text, name)) if _MARK in text.lower() else [user_message(text)]
    if compiled.system is not None:
        system = render(compiled.system, values)
        if _MARK in system.lower():
            raise template_error(f"{name}: `system` in its front matter is one message. Take the sections out of it.")
        messages.insert(0, {"role": "system", "content": system.strip()})
    _check_messages(messages, name)
    return Prompt(messages)


def section_begin(role: str) -> str:
    """The mark at the beginning of a message."""
    return f"\0{_MARK}:begin:{role}\0"


def section_end(role: str) -> str:
    """The mark at the end of a message."""
    return f"\0{_MARK}:end:{role}\0"


def _sections(text: str, name: str) -> Iterator[Message]:
    """The messages of a text with marks. White space at their ends, and between them, is not sent."""
    pieces = _MARKS.split(text)
    role = None
    # Text, then begin or end, its role, text, and so on.
    for number in range(0, len(pieces), 3):
        content = pieces[number].strip()
        if _MARK in content.lower():
            raise template_error(f"{name}: a section is changed by a filter. Write its tags where they are rendered.")
        if role is not None:
            yield {"role": role, "content": content}
        elif content:
            shown = content if len(content) <= _SHOWN else f"{content[:_SHOWN]}..."
            problem = f"the text {shown!r} stands outside of its sections"
            raise template_error(f"{name}: {problem}. Put it between {{% user %}} and {{% enduser %}}.")
        if number + 1 < len(pieces):
            mark, of = pieces[number + 1 : number + 3]
            role = _next_role(role, mark, of, name)


def _next_role(role: str | None, mark: str, of: str, name: str) -> str | None:
    if mark == "begin" and role is not None:
        raise template_error(f"{name}: the section {of!r} lies inside of the section {role!r}. Put it after that.")
    return of if mark == "begin" else None


def _check_messages(messages: Sequence[Message], name: str) -> None:
    """Raise GenerationError for messages that no model is to be asked with."""
    roles = [message["role"] for message in messages]
    if roles == ["user"]:
        return
    empty = next((message["role"] for message in messages if not message["content"].strip()), None)
    if empty is not None:
        raise _message_error(name, f"its {empty} message is empty. Write one, or take it out")
    if "system" in roles[1:]:
        where = "system stands in front matter as well" if roles[0] == "system" else "it has other messages before it"
        raise _message_error(name, f"a system message is not the first one ({where}). Have one, at the beginning")
    if roles[-1] != "user":
        raise _message_error(name, f"its last message is {roles[-1]}'s. End with what the user asks")


def _message_error(name: str, problem: str) -> GenerationError:
    return template_error(f"{name}: {problem}.")
