"""The files of one essay: its page, the page of its sources, and the text that other pages load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daydreaming.results.pages.changes import changes_html
from daydreaming.results.pages.essay_plans import EssayPlan
from daydreaming.results.pages.essay_texts import EssayTexts, GenerationTexts
from daydreaming.results.pages.shown_text import ShownText, as_markdown, as_written, visible

if TYPE_CHECKING:
    from jinja2 import Environment

# In bytes of HTML; together, a page stays below 300 KB whatever the models wrote.
LARGEST_PAGE = 300_000
_ESSAY, _DRAFT, _CHANGES, _JUDGEMENTS, _SOURCES = 80_000, 55_000, 55_000, 70_000, 220_000
_SMALLEST = 400
_TITLE_CHARACTERS = 90

# Nothing is loaded but the folder's own files, and no script or style stands in a page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
)


def title_of(text: str) -> str:
    """Return how a text begins: its first line with words, without the marks of a heading."""
    for line in text.splitlines():
        words = " ".join(line.strip("#*_ \t").split())
        if words:
            words = visible(words)
            return words if len(words) <= _TITLE_CHARACTERS else f"{words[:_TITLE_CHARACTERS].rstrip()} …"
    return ""


def essay_files(cohort_id: str, plan: EssayPlan, texts: EssayTexts) -> dict[str, str]:
    """Return the files of an essay, by their path in the folder of the pages."""
    long: dict[str, str] = {}
    parsed = texts.essay.parsed
    essay = as_markdown(parsed, _ESSAY)
    if not essay.is_whole:
        long[_long_name(texts.essay, "text")] = parsed
    title = title_of(parsed)
    page = (
        _environment()
        .get_template("essay.html.jinja")
        .render(
            policy=CONTENT_SECURITY_POLICY,
            root="../",
            cohort_id=cohort_id,
            plan=plan,
            title=title,
            essay=essay,
            essay_file=_long_name(texts.essay, "text"),
            draft=_shown(texts.draft, "text", texts.draft.parsed, _DRAFT, long, markdown=True),
            changes=_changes(texts),
            evaluations=_judgements(texts, long),
        )
    )
    sources = (
        _environment()
        .get_template("sources.html.jinja")
        .render(
            policy=CONTENT_SECURITY_POLICY,
            root="../",
            cohort_id=cohort_id,
            plan=plan,
            title=title,
            generations=[_source(one, _SOURCES // len(texts.generations), long) for one in texts.generations],
        )
    )
    return {
        f"essays/{plan.gen_id}.html": page,
        f"sources/{plan.gen_id}.html": sources,
        f"texts/{plan.gen_id}.js": _text_script(plan, texts, title, essay),
        **long,
    }


def page_of(template: str, **values: object) -> str:
    """Return a page that is made from no essay: the list, the comparison, the blind mode."""
    return _environment().get_template(template).render(policy=CONTENT_SECURITY_POLICY, root="", **values)


def script_data(name: str, value: object) -> str:
    """Return a script that hands a value to the pages: what is opened from a folder may load no other data."""
    return f"reading.take({json.dumps(name)}, {json.dumps(value, ensure_ascii=False, separators=(',', ':'))});\n"


def _shown(
    texts: GenerationTexts, what: str, text: str, size: int, long: dict[str, str], *, markdown: bool = False
) -> dict[str, Any]:
    shown = as_markdown(text, size) if markdown else as_written(text, size)
    name = _long_name(texts, what)
    if not shown.is_whole:
        long[name] = text
    return {"html": shown.html, "is_whole": shown.is_whole, "file": name, "length": len(text)}


def _changes(texts: EssayTexts) -> str | None:
    if not texts.draft.parsed or not texts.essay.parsed:
        return None
    changes = changes_html(texts.draft.parsed, texts.essay.parsed)
    return changes if changes is not None and len(changes.encode("utf-8", "surrogatepass")) <= _CHANGES else None


def _judgements(texts: EssayTexts, long: dict[str, str]) -> list[dict[str, Any]]:
    size = max(_SMALLEST, _JUDGEMENTS // max(len(texts.evaluations), 1))
    return [
        {"plan": one.plan, "text": _shown(one, "judgement", one.judgement, size, long, markdown=True)}
        for one in texts.evaluations
    ]


def _source(texts: GenerationTexts, size: int, long: dict[str, str]) -> dict[str, Any]:
    """A generation's prompt, reply and record. Of the size, the prompt may take a third, and the record a sixth."""
    parts: list[tuple[str, str, str, int]] = [("prompt", "Prompt", texts.prompt or "", size // 3)]
    if texts.has_thoughts:
        parts.append(("answer", "Answer", texts.answer, size // 4))
        parts.append(("reply", "Whole reply, with the model's thoughts", texts.reply or "", size // 4))
    elif texts.reply is not None:
        parts.append(("reply", "Reply", texts.reply, size // 2))
    if texts.parsed.strip() not in (texts.reply or ""):
        parts.append(("text", "Text as it was read from the reply", texts.parsed, size // 6))
    parts.append(("metadata", "Record (metadata.json)", texts.metadata, max(size // 6, _SMALLEST)))
    return {
        "plan": texts.plan,
        "parts": [
            {"name": name, "title": title, **_shown(texts, name, text, most, long)}
            for name, title, text, most in parts
            if text
        ],
    }


def _text_script(plan: EssayPlan, texts: EssayTexts, title: str, essay: ShownText) -> str:
    scores = [[one.template_id, one.llm_model_id, one.replicate, one.score, one.error] for one in plan.evaluations]
    value: Mapping[str, object] = {
        "title": title,
        "concepts": [visible(name) for name in plan.concepts],
        "draft": plan.draft.template_id,
        "template": plan.essay.template_id,
        "model": plan.essay.llm_model_id or plan.draft.llm_model_id,
        "html": essay.html,
        "whole": essay.is_whole,
        "failure": plan.essay.error and f"{plan.essay.error}: {visible(plan.essay.message)}",
        "sha256": texts.essay.parsed_sha256,
        "scores": scores,
    }
    return script_data(f"text {plan.gen_id}", value)


def _long_name(texts: GenerationTexts, what: str) -> str:
    return f"long/{texts.plan.stage}-{texts.plan.gen_id}-{what}.txt"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    environment.filters |= {
        "visible": lambda text: visible(str(text)),
        "points": lambda value: "–" if value is None else f"{value:.2f}",
        "score": lambda value: f"{value:.10g}",
    }
    return environment
