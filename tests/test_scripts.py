"""Rules for the scripts of the page."""

import re

from tests.support.checkout import TOP

WEB = TOP / "src" / "symphony" / "web"


def test_scripts_create_elements_from_texts_only() -> None:
    """Nothing parses HTML or runs a text, even where the policy would allow it."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|setHTML|srcdoc"
        r"|document\.write|\beval\(|new Function|javascript:|importScripts"
        r"|localStorage|sessionStorage|indexedDB|document\.cookie|console\."
    )
    scripts = list(WEB.rglob("*.js"))
    assert len(scripts) > 20
    found = {str(file): forbidden.findall(file.read_text("utf-8")) for file in scripts}
    assert {file: words for file, words in found.items() if words} == {}
    fetching = [file.name for file in scripts if re.search(r"\bfetch\(", file.read_text("utf-8"))]
    assert fetching == ["api.js"]
