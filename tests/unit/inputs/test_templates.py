"""Templates: what renders, and what a message says about what does not."""

import pytest

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.records import Template
from daydreaming.inputs.templates import compile_template, load_template_text, render, template_name

NAME = "data/1_raw/evaluation_templates/rubric.txt"


def rendered(source, **values):
    return render(compile_template(source, NAME), values)


def failure(source, **values):
    with pytest.raises(GenerationError) as caught:
        rendered(source, **values)
    assert caught.value.kind is FailureKind.TEMPLATE
    return caught.value.message


def template(path=None, content=None):
    return Template("essay", "write", "llm", None, True, path, content)


def test_text_is_filled_in_as_it_is():
    assert rendered("<b>{{ response }}</b>\n\n", response="a < b & {{ c }}\n") == "<b>a < b & {{ c }}\n</b>\n\n"


def test_compiled_once_rendered_often():
    compiled = compile_template("{{ response }}!", NAME)
    assert [render(compiled, {"response": text}) for text in ("a", "b")] == ["a!", "b!"]


def test_loops_over_concepts():
    concepts = [{"name": "Tides"}, {"name": "Looms"}]
    assert rendered("{% for c in concepts %}{{ loop.index }} {{ c.name }};{% endfor %}", concepts=concepts) == (
        "1 Tides;2 Looms;"
    )


def test_undefined_name_is_told_with_template_line_and_cure():
    message = failure("one\ntwo\n{{ respnse }}", response="x")
    assert message == f"{NAME}, line 3: 'respnse' is undefined. This template can use response: correct the name."


def test_undefined_name_in_a_condition_is_an_error_too():
    assert "line 1: 'x' is undefined." in failure("{% if x %}yes{% endif %}", response="")


def test_undefined_attribute_names_it():
    message = failure("{% for c in concepts %}\n{{ c.titel }}{% endfor %}", concepts=[{"name": "Tides"}])
    assert f"{NAME}, line 2: 'dict object' has no attribute 'titel'." in message


def test_syntax_error_names_the_line():
    message = failure("one\n{% for x in y %}\n")
    assert message.startswith(f"{NAME}, line 2: Unexpected end of template.")
    assert message.endswith("Correct the Jinja syntax there.")


def test_unknown_filter_is_a_syntax_error():
    assert "line 2: No filter named 'shout'." in failure("\n{{ response|shout }}", response="x")


@pytest.mark.parametrize("tag", ["include 'x'", "import 'x' as x", "from 'x' import y"])
def test_what_is_not_in_the_shared_folder_cannot_be_loaded(tag):
    assert f"{NAME}, line 2: includes 'x', which is no text of its shared folder" in failure(f"\n{{% {tag} %}}")


def test_other_templates_cannot_be_extended():
    assert f"{NAME}, line 2: a template cannot extend" in failure("\n{% extends 'x' %}")


@pytest.mark.parametrize(
    "tag", ["include x", "include ['x', 'y']", "include 'x' ignore missing", "import 'x' ~ y as z"]
)
def test_what_is_loaded_has_one_name_that_is_written_out(tag):
    assert f"{NAME}, line 2: what is included has to be one name" in failure(f"\n{{% {tag} %}}", x="x", y="y")


def test_other_errors_of_an_expression_name_the_line():
    assert f"{NAME}, line 2: ZeroDivisionError: division by zero." in failure("\n{{ 1 / 0 }}")


def test_templates_cannot_reach_python():
    assert "SecurityError" in failure("{{ response.__class__.__mro__[1].__subclasses__() }}", response="x")


def test_templates_cannot_change_their_values():
    concepts = [{"name": "Tides"}]
    failure("{{ concepts.append(1) }}", concepts=concepts)
    assert concepts == [{"name": "Tides"}]


def test_inline_content_wins_and_is_named_by_its_row():
    assert load_template_text(template(content="inline\n")) == "inline\n"
    assert template_name(template(content="inline")) == "write (inline content of the essay template)"


def test_file_text_without_its_byte_order_mark(tmp_path):
    path = tmp_path / "write.txt"
    path.write_bytes(b"\xef\xbb\xbf{{ links_block }}\r\n")
    assert load_template_text(template(str(path))) == "{{ links_block }}\n"
    assert template_name(template(str(path))) == str(path)


@pytest.mark.parametrize(("content", "problem"), [(None, "cannot be read"), (b"\xff\xfe", "is not UTF-8 text")])
def test_text_that_cannot_be_read_names_the_file(tmp_path, content, problem):
    path = tmp_path / "write.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        load_template_text(template(str(path)))
    assert caught.value.kind is FailureKind.TEMPLATE
    assert caught.value.message.startswith(f"{path} {problem}")
