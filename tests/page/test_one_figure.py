"""How often a verdict is wrong is one figure, wherever it is told: on the card, in the JSON and on paper. The page
without a server: tests/web/test_web_page.py."""

import json

from commands import here
from photo_tab import EXAMPLES, answered, unfold, upload
from pypdf import PdfReader

from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.card_texts import NOT_MEASURED
from page import texts

MEASURED = "when this was measured"


def test_card_json_and_pdf_tell_the_same_rate_and_the_command_none(first_tab, detector):
    page, rates, files = first_tab, shipped_rates(detector.model.sha256), sorted(EXAMPLES.glob("*.jpg"))
    assert len(set(rates.values())) == 3 and NOT_MEASURED not in rates.values()
    one_each = {verdict.label: file for file, verdict in zip(files, detector.predict(files), strict=True)}
    for label, file in one_each.items():
        upload(page, file)
        card = answered(page)
        assert card.get_attribute("data-label") == label
        assert card.locator(".rate").inner_text().startswith(rates[label])
        unfold(page, texts.REPORT_LABEL)
        with page.expect_download() as report:
            page.locator("#report").click()
        told = json.loads(report.value.path().read_text())["explanation"]
        assert [said for said in told if MEASURED in said] == [rates[label]]
        with page.expect_download() as sheet:
            page.locator("#sheet").click()
        (only,) = PdfReader(sheet.value.path()).pages
        assert rates[label] in " ".join(only.extract_text().split())
        page.reload()
        page.wait_for_selector("#photo input[type=file]", state="attached")
    done = here("deepfake_detect", *one_each.values(), "--format", "jsonl")
    assert done.stdout.count('"label"') >= len(one_each) and MEASURED not in done.stdout + done.stderr
