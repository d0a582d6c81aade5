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

# In bytes of HTML. Below it a page stays whatever models wrote; only one of some 250 evaluations or more is larger.
LARGEST_PAGE = 300_000
_WITHOUT_TEXTS, _JUDGEMENT_WITHOUT_TEXT, _SCALE, _SOURCE_WITHOUT_TEXT = 12_000, 800, 400, 1_600
# What each text may take of the rest, in percent; together less than all of it.
_ESSAY, _DRAFT, _CHANGES, _JUDGEMENTS = 30, 20, 20, 28
_SMALLEST = 100
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
    n = len(plan.evaluations)
    fixed = _WITHOUT_TEXTS + n * _JUDGEMENT_WITHOUT_TEXT + len(plan.scales) * _SCALE
    percent = max(LARGEST_PAGE - fixed, 0) // 100
    for_source = (LARGEST_PAGE - _WITHOUT_TEXTS) // (n + 2) - _SOURCE_WITHOUT_TEXT
    essay = as_markdown(parsed, _ESSAY * percent)
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
            others=_others(texts, _DRAFT * percent, long),
            changes=_changes(plan, texts, _CHANGES * percent),
            evaluations=_judgements(texts, _JUDGEMENTS * percent // max(n, 1), long),
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
            generations=[_source(one, for_source, long) for one in texts.generations],
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


def _others(texts: EssayTexts, size: int, long: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The other texts of a page, by stage and gen_id: what its text is made from, and what is made from it."""
    others = (*texts.before, *texts.after)
    each = max(size // max(len(others), 1), _SMALLEST)
    return {
        f"{one.plan.stage}-{one.plan.gen_id}": _shown(one, "text", one.parsed, each, long, markdown=True)
        for one in others
    }


def _changes(plan: EssayPlan, texts: EssayTexts, size: int) -> str | None:
    earlier = texts.before[plan.earlier].parsed if plan.earlier is not None else ""
    if not earlier or not texts.essay.parsed:
        return None
    changes = changes_html(earlier, texts.essay.parsed)
    return changes if changes is not None and len(changes.encode("utf-8", "surrogatepass")) <= size else None


def _judgements(texts: EssayTexts, size: int, long: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"plan": one.plan, "text": _shown(one, "judgement", one.judgement, max(size, _SMALLEST), long, markdown=True)}
        for one in texts.evaluations
    ]


def _source(texts: GenerationTexts, size: int, long: dict[str, str]) -> dict[str, Any]:
    """A generation's prompt, reply and record. Of the size, the prompt may take a third, and the record a sixth."""
    size = max(size, 6 * _SMALLEST)
    parts: list[tuple[str, str, str, int]] = [("prompt", "Prompt", texts.prompt or "", size // 3)]
    if texts.has_thoughts:
        parts.append(("answer", "Answer", texts.answer, size // 4))
        parts.append(("reply", "Whole reply, with the model's thoughts", texts.reply or "", size // 4))
    elif texts.reply is not None:
        parts.append(("reply", "Reply", texts.reply, size // 2))
    if texts.parsed.strip() not in (texts.reply or ""):
        parts.append(("text", "Text as it was read from the reply", texts.parsed, size // 6))
    parts.append(("metadata", "Record (metadata.json)", texts.metadata, size // 6))
    return {
        "plan": texts.plan,
        "edited": texts.edited,
        "parts": [
            {"name": name, "title": title, **_shown(texts, name, text, most, long)}
            for name, title, text, most in parts
            if text
        ],
    }


def _text_script(plan: EssayPlan, texts: EssayTexts, title: str, essay: ShownText) -> str:
    scores = [[one.label, one.llm_model_id, one.replicate, one.score, one.error] for one in plan.evaluations]
    value: Mapping[str, object] = {
        "title": title,
        "concepts": [visible(name) for name in plan.concepts],
        "draft": plan.labels["draft_template"],
        "template": plan.labels["generation_template"],
        "model": plan.labels["generation_model"],
        "html": essay.html,
        "whole": essay.is_whole,
        "failure": plan.essay.error and f"{plan.essay.error}: {visible(plan.essay.message)}",
        "sha256": texts.essay.parsed_sha256,
        "scores": scores,
        "opponents": [one.gen_id for one in plan.opponents],
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
