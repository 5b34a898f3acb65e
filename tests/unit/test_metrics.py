"""Metrics against hand-counted cases and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics

from deepfake_detect.report.sentences import ceil_percent, floor_percent
from train.metrics import (
    binary_metrics,
    corners,
    decided_metrics,
    figures_by_source,
    intervals,
    operating_points,
    reliability,
    risk_coverage,
    roc_points,
)

LABELS = np.array([0, 0, 0, 0, 1, 1])
P_FAKE = np.array([0.1, 0.2, 0.6, 0.4, 0.9, 0.3])


def test_metrics_of_a_case_counted_by_hand():
    metrics = binary_metrics(P_FAKE, LABELS)
    assert metrics["confusion"] == {"real_as_real": 3, "real_as_fake": 1, "fake_as_real": 1, "fake_as_fake": 1}
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2) and metrics["false_alarm_rate"] == 1 / 4
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == pytest.approx(1 / 2)
    assert metrics["auc"] == pytest.approx(6 / 8)  # of 8 pairs, (0.6, 0.3) and (0.4, 0.3) stand the wrong way
    assert metrics["tpr_at_5_fpr"] == 0.5  # only 0.9 lies above every real one
    assert metrics["eer"] == pytest.approx(0.5)  # at 0.4: two of four real, one of two fakes
    assert metrics["brier"] == pytest.approx(np.mean((P_FAKE - LABELS) ** 2))
    assert metrics["ece"] == pytest.approx(np.abs(P_FAKE - LABELS).mean())  # every picture in a bin of its own


def test_metrics_agree_with_scikit_learn_where_scores_tie():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500)
    p_fake = np.clip(np.round(0.5 + 0.2 * (labels - 0.5) + rng.normal(0, 0.2, 500), 2), 0, 1)
    metrics, said = binary_metrics(p_fake, labels), p_fake >= 0.5
    assert metrics["auc"] == pytest.approx(sklearn.metrics.roc_auc_score(labels, p_fake))
    assert metrics["f1"] == pytest.approx(sklearn.metrics.f1_score(labels, said))
    assert metrics["precision"] == pytest.approx(sklearn.metrics.precision_score(labels, said))
    assert metrics["balanced_accuracy"] == pytest.approx(sklearn.metrics.balanced_accuracy_score(labels, said))
    fpr, tpr, _ = sklearn.metrics.roc_curve(labels, p_fake, drop_intermediate=False)
    assert metrics["tpr_at_5_fpr"] == pytest.approx(tpr[fpr <= 0.05].max())
    assert metrics["eer"] == pytest.approx(np.interp(0, fpr + tpr - 1, fpr), abs=1e-9)
    assert np.allclose(roc_points(p_fake, labels), (fpr, tpr))


def test_intervals_hold_the_figure_and_narrow_with_more_pictures():
    rng = np.random.default_rng(1)
    widths = []
    for count in (100, 1600):
        labels = np.arange(count) % 2
        p_fake = np.clip(0.5 + 0.25 * (labels - 0.5) + rng.normal(0, 0.2, count), 0, 1)
        metrics, bounds = binary_metrics(p_fake, labels), intervals(p_fake, labels)
        assert bounds.keys() == metrics.keys() - {"pictures", "confusion"}
        assert all(low <= metrics[name] <= high for name, (low, high) in bounds.items() if name != "ece")
        assert bounds == intervals(p_fake, labels)
        widths.append(bounds["auc"][1] - bounds["auc"][0])
    assert 3 < widths[0] / widths[1] < 5.5  # by the square root of 16
    (low, high) = intervals(np.zeros(10), np.zeros(10, int))["false_alarm_rate"]
    assert low == 0 and 0.25 < high < 0.32  # no false alarm in ten says little


def test_one_class_gives_a_rate_instead_of_an_auc():
    p_fake = np.array([0.1, 0.5, 0.9, 0.2])
    assert binary_metrics(p_fake, np.ones(4, int)) == {"pictures": 4, "detection_rate": 0.5}
    assert binary_metrics(p_fake, np.zeros(4, int)) == {"pictures": 4, "false_alarm_rate": 0.5}


def test_fakes_alone_are_scored_against_the_photographs_alone():
    p_fake = np.array([0.9, 0.6, 0.4, 0.7, 0.1, 0.8, 0.3])
    labels = np.array([1, 1, 0, 0, 0, 1, 0])
    sources = np.array(["diffusion", "diffusion", "street", "street", "street", "both", "both"])
    figures = figures_by_source(p_fake, labels, sources)
    diffusion = figures["sources"]["diffusion"]
    assert diffusion["pictures"] == 2 and diffusion["detection_rate"] == 1.0 and diffusion["against"] == ["street"]
    assert diffusion["auc"] == pytest.approx(5 / 6) and not {"confusion", "false_alarm_rate"} & diffusion.keys()
    assert {"auc", "detection_rate"} <= diffusion["interval"].keys()
    assert "auc" not in figures["sources"]["street"] and figures["sources"]["both"]["auc"] == 1.0
    assert figures["sources"]["both"]["false_alarm_rate"] == 0 and "false_alarm_rate" not in diffusion["interval"]
    low, high = figures["macro"]["interval"]["auc"]
    assert low <= figures["macro"]["auc"] <= high
    assert figures["macro"]["sources"] == 2 and figures["macro"]["auc"] == pytest.approx((1 + 5 / 6) / 2)


def test_there_need_be_no_source_of_both_classes():
    sources = np.where(LABELS == 1, "diffusion", "street")
    figures = figures_by_source(P_FAKE, LABELS, sources)
    assert figures["macro"]["auc"] == figures["sources"]["diffusion"]["auc"] == figures["all"]["auc"]
    assert figures["macro"]["interval"].keys() == figures["macro"].keys() - {"sources", "interval"}
    diffusion = figures["sources"]["diffusion"]["interval"]
    assert diffusion["recall"] == diffusion["detection_rate"]  # one figure, one interval


def test_the_interval_of_a_mean_is_narrower_than_those_it_is_the_mean_of():
    rng = np.random.default_rng(3)
    labels, sources = np.arange(800) % 2, np.repeat(["a", "b", "c", "d"], 200)
    p_fake = np.clip(0.5 + 0.25 * (labels - 0.5) + rng.normal(0, 0.2, 800), 0, 1)
    figures = figures_by_source(p_fake, labels, sources)
    low, high = figures["macro"]["interval"]["auc"]
    widths = [b - a for a, b in (source["interval"]["auc"] for source in figures["sources"].values())]
    assert 1.6 < np.mean(widths) / (high - low) < 2.4  # by the square root of 4


def test_nameless_pictures_are_one_source():
    figures = figures_by_source(P_FAKE, LABELS, np.array(["", "", "", "", "", ""]), False)
    assert list(figures["sources"]) == ["pictures"] and figures["macro"]["auc"] == figures["all"]["auc"]


def test_risk_grows_with_coverage_where_confidence_tells():
    p_fake, labels = np.array([0.99, 0.01, 0.9, 0.6]), np.array([1, 0, 1, 0])
    points = risk_coverage(p_fake, labels)
    assert points[-1] == {"coverage": 1.0, "risk": 0.25} and points[0]["risk"] == 0
    assert [p["coverage"] for p in points] == sorted(p["coverage"] for p in points)


def test_reliability_and_operating_points_count_what_they_say():
    p_fake, labels = np.array([0.02, 0.03, 0.5, 0.95, 1.0]), np.array([0, 1, 1, 1, 0])
    first, *_, last = reliability(p_fake, labels)
    assert first == {"pictures": 2, "p_fake": pytest.approx(0.025), "fake": 0.5}
    assert last == {"pictures": 2, "p_fake": pytest.approx(0.975), "fake": 0.5}
    middle = next(point for point in operating_points(p_fake, labels) if point["threshold"] == 0.5)
    assert middle == {"threshold": 0.5, "false_alarms": 0.5, "detected": pytest.approx(2 / 3)}


def test_decided_verdicts_are_counted_by_side():
    verdicts = ["real", "real", "fake", "unsure", "fake"]
    assert decided_metrics(verdicts, np.array([0, 1, 1, 1, 0])) == {
        "coverage": 0.8,
        "accuracy": 0.5,
        "said_real": {"pictures": 2, "wrong": 1},
        "said_fake": {"pictures": 2, "wrong": 1},
    }
    assert decided_metrics(["unsure"], np.array([0]))["accuracy"] is None


@pytest.mark.parametrize(
    ("share", "good", "bad"), [(0.8149, "81.4 %", "81.5 %"), (0.29, "29.0 %", "29.0 %"), (1, "100.0 %", "100.0 %")]
)
def test_good_shares_are_never_rounded_up_and_bad_ones_never_down(share, good, bad):
    assert (floor_percent(share), ceil_percent(share)) == (good, bad)


def test_the_corners_of_a_curve_are_the_same_curve():
    x, y = np.array([0, 0, 0, 0.5, 1, 1.0]), np.array([0, 0.25, 0.5, 0.5, 0.5, 1.0])
    across, up = corners(x, y)
    assert (across.tolist(), up.tolist()) == ([0, 0, 1, 1], [0, 0.5, 0.5, 1])
    every = np.linspace(0, 1, 50)
    assert np.interp(every[1:-1], across, up) == pytest.approx(np.interp(every[1:-1], x, y))
