"""The page in a real browser, Debian's Chromium: one process for all tests."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.sync_api import sync_playwright

from gen_infra import pipeline
from gen_infra.aws.alarms import AlarmState
from gen_infra.check.report import Check, CheckReport, Finding, RuleInfo
from gen_infra.explain import ManifestChange, explain
from gen_infra.report.data import AccessMatrix, ImageNow
from gen_infra.report.gather import gather
from gen_infra.report.page import page as render_page
from gen_infra.terraform.plan import PlanContent
from tests.conftest import require_tool
from tests.unit.manifests import changed, write
from tests.unit.recorded import Account
from tests.unit.report.history import JOBS, NOW, answers, live_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from gen_infra.report.data import EnvironmentReport

HOSTILE = (
    "</pre></script><script>document.title='hostile'</script><img src=x onerror=document.title='hostile'>"
    '" autofocus onfocus="document.title=\'hostile\'" style="position:fixed" x=\'`{{7*7}}${a}&#60;'
)
JOB = {"image": "quay.io/x/y:1", "vcpus": 4, "memory_mib": 8000}
# Some frames later.
_SETTLED = """() => new Promise((done) => {
  const wait = (frames) => (frames ? requestAnimationFrame(() => wait(frames - 1)) : done());
  wait(8);
})"""
_TOP = "id => document.getElementById(id).getBoundingClientRect().top"
_CONTRAST = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/^rgba\\(.*, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("main *, header *, nav *")].filter(
    (each) => !each.closest("svg") && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()),
  );
  return texts
    .map((each) => {
      const [one, two] = [luminance(getComputedStyle(each).color), luminance(paper(each))];
      return [(Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05), each.className || each.tagName];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""


_SHOWN = """each => each.tabIndex >= 0 && each.checkVisibility() && !each.closest('[hidden]')"""
_ALL_FOCUSABLE = f"""[...document.querySelectorAll('a[href], button, input, summary')].filter({_SHOWN})"""
_FOCUSABLE = f"{_ALL_FOCUSABLE}.length"
# Which one has the focus, and whether an outline or a thicker border shows it.
_FOCUSED = f"""() => {{
  const each = document.activeElement, style = getComputedStyle(each), box = each.querySelector('rect');
  const isOutlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {{
    number: {_ALL_FOCUSABLE}.indexOf(each), what: each.outerHTML.slice(0, 80),
    is_scrolled: each.scrollWidth > each.clientWidth,
    is_marked: isOutlined || (box !== null && parseFloat(getComputedStyle(box).strokeWidth) >= 3),
  }};
}}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require_tool("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> EnvironmentReport:
    """Return a report with jobs of each fate, and hostile text wherever a manifest or AWS may have text."""
    folder = tmp_path_factory.mktemp("report")
    jobs = {"one": {**JOB, "command": ["run", HOSTILE], "parameters": {"sample": HOSTILE}}}
    path = write(folder, changed(jobs=jobs))
    environment = pipeline.load(path, folder / "build")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        found = gather(environment, path, lambda _: None, since=timedelta(days=7), checks=False, now=NOW)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        account = Account()
        hostile = {**JOBS[3], "jobName": HOSTILE, "statusReason": HOSTILE}
        account.answers = answers([*JOBS[:3], hostile, *JOBS[4:]])
        live = live_of(account, environment.manifest, folder)
    rule = RuleInfo("GI_X_1", HOSTILE, HOSTILE, "javascript:alert(1)", "high")
    finding = Finding("failed", HOSTILE, HOSTILE, rule)
    change = {"actions": ["delete"], "before": {"name": HOSTILE}, "after": None}
    queue = {"address": HOSTILE, "mode": "managed", "type": "aws_batch_job_queue", "change": change}
    alarm = AlarmState(HOSTILE, HOSTILE, NOW, HOSTILE)
    target, role = found.access.targets[0], found.access.roles[0]
    cell = replace(role.cells[0], conditional=(HOSTILE,), conditions=(HOSTILE,), unknown=(HOSTILE,), reasons=(HOSTILE,))
    role = replace(role, name=HOSTILE, about=HOSTILE, notes=(HOSTILE,), cells=(cell, *role.cells[1:]))
    target = replace(target, title=HOSTILE, detail=HOSTILE, notes=(HOSTILE,))
    return replace(
        found,
        access=AccessMatrix((target, *found.access.targets[1:]), (role, *found.access.roles)),
        live=replace(live, alarms=(alarm,), images=(ImageNow(HOSTILE, HOSTILE, HOSTILE, NOW),), unseen=(HOSTILE,)),
        check=CheckReport((Check("checkov", HOSTILE, (finding, replace(finding, level="skipped", reason=HOSTILE))),)),
        plan=explain(PlanContent({"resource_changes": [queue]}), [ManifestChange(HOSTILE, HOSTILE, HOSTILE, None)]),
        missing=tuple(each for each in found.missing if each.section == "picture"),
    )


@contextmanager
def opened(browser: Browser, report: EnvironmentReport, folder: Path, **settings: Any) -> Iterator[Page]:
    """Open a page; it must write nothing to the console and load nothing."""
    file = folder / "report.html"
    file.write_text(render_page(report), encoding="utf-8")
    with browser.new_context(viewport={"width": 1280, "height": 900}, **settings) as context:
        page = context.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: told.append(request.url) if request.url != file.as_uri() else None)
        page.goto(file.as_uri())
        yield page
        assert told == []


def test_hostile_text_stays_text(browser: Browser, reported: EnvironmentReport, tmp_path: Path) -> None:
    with opened(browser, reported, tmp_path) as page:
        assert page.title() == "test · gen-infra report"
        assert page.locator("script").count() == 1
        assert page.locator("img").count() == 0
        assert page.locator("#job-bad a").inner_text() == HOSTILE
        # The manifest and HCL escape what follows.
        assert HOSTILE.partition('"')[0] in (page.locator("#part-job-one").text_content() or "")
        assert (page.locator("#check").text_content() or "").count(HOSTILE) == 7
        assert HOSTILE in (page.locator("#plan tbody th").text_content() or "")
        assert "stops jobs" in (page.locator("#plan .danger").first.text_content() or "")
        assert page.locator('a[href^="javascript"]').count() == 0
        assert page.locator("[onfocus], [autofocus], [style]:not(svg *), base, iframe, link").count() == 0
        assert (page.locator("#live").text_content() or "").count(HOSTILE) == 6
        assert page.locator("#access .conditional[title]").first.get_attribute("title") == f"if {HOSTILE}"
        assert page.locator("#access .unknown[title]").first.get_attribute("title") == HOSTILE


def test_the_search_shows_what_is_meant(browser: Browser, reported: EnvironmentReport, tmp_path: Path) -> None:
    with opened(browser, reported, tmp_path) as page:
        rows = page.locator(".timeline tbody tr")
        page.keyboard.press("/")
        page.keyboard.type("killed-too")
        page.wait_for_selector("#found:not(:empty)")
        assert page.locator("#found").inner_text() == "2 found", "the job, and the cause that it is the example of"
        assert [each.get_attribute("id") for each in rows.all() if each.is_visible()] == ["job-killed-too"]
        page.keyboard.press("Escape")
        assert all(each.is_visible() for each in rows.all())
        page.get_by_role("button", name="failed").click()
        assert {each.get_attribute("class") for each in rows.all() if each.is_visible()} == {"failed"}
        assert page.get_by_role("button", name="failed").get_attribute("aria-pressed") == "true"
        page.get_by_role("link", name="running", exact=False).first.click()
        page.evaluate("location.hash = '#job-good'")
        page.wait_for_selector("#job-good:focus")
        assert page.locator("#job-good").is_visible(), "a link shows what was filtered out"


def test_a_part_of_the_picture_leads_to_its_lines(
    browser: Browser, reported: EnvironmentReport, tmp_path: Path
) -> None:
    require_tool("dot")
    with opened(browser, reported, tmp_path) as page:
        part = page.locator("#part-job-one")
        assert part.get_attribute("open") is None
        page.locator('.picture a[href="#part-job-one"]').focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#part-job-one[open] > summary:focus")
        page.evaluate(_SETTLED)
        assert 0 <= page.evaluate(_TOP, "part-job-one") < 900, "it is in view"
        shown = part.inner_text()
        assert "vcpus: 4" in shown
        assert 'resource "aws_batch_job_definition" "one"' in shown
        part.locator("summary").last.click()
        assert part.locator(".role[open]").count() == 1
        page.keyboard.press("Shift+Tab")
        page.get_by_role("button", name="unfold all").click()
        assert page.locator("#parts details:not([open])").count() == 0
        page.get_by_role("button", name="fold all", exact=True).click()
        assert page.locator("#parts details[open]").count() == 0


@pytest.mark.parametrize(("scheme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")])
def test_every_text_has_enough_contrast(
    browser: Browser, reported: EnvironmentReport, tmp_path: Path, scheme: str, media: Literal["screen", "print"]
) -> None:
    with opened(browser, reported, tmp_path, color_scheme=scheme) as page:
        page.emulate_media(media=media)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.evaluate(_CONTRAST) == []


def test_screen_readers_find_landmarks_headings_and_headers_of_tables(
    browser: Browser, reported: EnvironmentReport, tmp_path: Path
) -> None:
    with opened(browser, reported, tmp_path) as page:
        for role in ("banner", "main", "navigation", "search"):
            assert page.get_by_role(role).count() == 1, role
        levels = [int(each.evaluate("each => each.tagName.slice(1)")) for each in page.locator("h1, h2, h3, h4").all()]
        assert levels[0] == 1
        assert all(later - level <= 1 for level, later in pairwise(levels))
        assert page.locator("th:not([scope])").count() == 0
        assert page.locator("table:not(:has(caption)):not(.statements)").count() == 0
        assert page.locator("svg:not([aria-hidden]):not([role])").count() == 0


def test_the_keyboard_reaches_everything_in_its_order_and_shows_where_it_is(
    browser: Browser, reported: EnvironmentReport, tmp_path: Path
) -> None:
    with opened(browser, reported, tmp_path) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        box = page.locator(".skip").bounding_box()
        assert box, "it is shown"
        assert box["x"] >= 0, "it is in view"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null"), "it skips the search and the sections"
        page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        page.locator(".skip").focus()
        expected = page.evaluate(_FOCUSABLE)
        visited: list[Any] = []
        while not visited or visited[-1]["number"] != expected - 1:
            visited.append(page.evaluate(_FOCUSED))
            assert visited[-1]["number"] >= 0 or visited[-1]["is_scrolled"], visited[-1]
            page.keyboard.press("Tab")
        assert [each["number"] for each in visited if each["number"] >= 0] == [*range(expected)]
        assert [each["what"] for each in visited if not each["is_marked"]] == []


def test_a_narrow_screen_scrolls_tables_alone_and_paper_has_no_controls(
    browser: Browser, reported: EnvironmentReport, tmp_path: Path
) -> None:
    with opened(browser, reported, tmp_path) as page:
        page.set_viewport_size({"width": 360, "height": 700})
        page.evaluate(
            "for (const each of document.querySelectorAll('section')) each.style.contentVisibility = 'visible'"
        )
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.emulate_media(media="print")
        for gone in ("nav", ".search", ".tools"):
            assert not page.locator(gone).first.is_visible()
        assert not page.locator("#job-good").is_visible(), "jobs that succeeded are not printed"
        assert page.locator("#job-bad").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_thousand_jobs_open_within_two_seconds(browser: Browser, reported: EnvironmentReport, tmp_path: Path) -> None:
    assert reported.live
    numbers = range(1000)
    jobs = tuple(replace(each, id=f"{each.id}-{n}") for n in numbers for each in [reported.live.jobs[n % 7]])
    [one] = reported.jobs
    part = next(each for each in reported.parts if each.id == "job-one")
    large = replace(
        reported,
        live=replace(reported.live, jobs=jobs),
        jobs=tuple(replace(one, key=f"job{n}") for n in numbers),
        parts=(*reported.parts, *(replace(part, id=f"job-job{n}", roles=()) for n in numbers)),
        access=replace(
            reported.access,
            roles=tuple(replace(reported.access.roles[0], name=f"role{n}") for n in numbers),
        ),
    )
    with opened(browser, large, tmp_path) as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")

        def used() -> float:
            """Return the seconds of CPU that the page's process has used: other tests run on the same cores."""
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            metrics = devtools.send("Performance.getMetrics")["metrics"]
            return float(next(each["value"] for each in metrics if each["name"] == "ProcessTime"))

        before = used()
        page.reload()
        assert used() - before < 2
        assert page.locator(".timeline tbody tr").count() == 1000
        last = f"job-{jobs[-1].id}"
        page.evaluate("id => { location.hash = id; }", last)
        page.wait_for_selector(f"#{last}:focus")
        page.evaluate(_SETTLED)
        assert 0 <= page.evaluate(_TOP, last) < 900, "it is in view, although what is above was not laid out before"
