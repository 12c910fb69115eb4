"""A prompt lies beside the file that names it."""

from pathlib import Path

from changeover.bootstrap.prompts import prompts_beside


def test_a_prompt_is_found_beside_the_settings_or_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    prompt = tmp_path / "prompts" / "short.txt"
    prompt.write_text("Größe zählt.\n", encoding="utf-8")
    read = prompts_beside(tmp_path / "changeover.yaml")
    assert read("prompts/short.txt") == read(str(prompt)) == "Größe zählt.\n"


def test_what_cannot_be_read_as_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    read = prompts_beside(tmp_path / "changeover.yaml")
    assert [read(name) for name in ("none.txt", "binary", ".", "a\x00b")] == [None] * 4
