"""Judged pictures by kind, by source and by group, what was never tested, and the criteria on all that."""

import json
from pathlib import Path

import numpy as np
import pytest
from project import ROOT

from deepfake_detect.verdict import Face, Verdict
from train.breakdown import counts_by_class, fakes_by_kind, groups, photographs_by_kind, worst_source
from train.criteria import BATTERY_CRITERIA, CRITERIA, criteria_of
from train.data import Sample, spread
from train.evaluate import tier_report
from train.generators import generators
from train.kinds import KINDS, PHOTOGRAPHS, kind_and_part
from train.report import criteria_markdown
from train.report_check import differences
from train.scored_set import ScoredSet

BAND = (0.3, 0.7)


def sample(source: str, label: int, origin: str = "", **more) -> Sample:
    kind, part = kind_and_part(source, label, origin)
    return Sample(Path(f"{source}.jpg"), label, "test", source, "", origin, kind=kind, part=part, **more)


def scored(*pictures: tuple[str, int, float]) -> ScoredSet:
    """Pictures of one face, as (source, label, p_fake), by the unsure band BAND."""
    verdicts = []
    for _, _, p_fake in pictures:
        said = "fake" if p_fake >= BAND[1] else "real" if p_fake <= BAND[0] else "unsure"
        verdicts.append(Verdict(said, p_fake, p_fake, (), (Face((0, 0, 99, 99), 0.9, p_fake, said),)))
    return ScoredSet([sample(source, label) for source, label, _ in pictures], verdicts, [])


MIXED = scored(
    *(("dfdc", 0, p) for p in (0.1, 0.2, 0.6, 0.9)),
    *(("dfdc", 1, p) for p in (0.95, 0.8, 0.4, 0.05)),
    *(("sd3", 1, p) for p in (0.99, 0.92)),
    ("aaf", 0, 0.05),
    ("nobody", 0, 0.5),
    ("nobody", 1, 0.45),
)


def test_verdicts_are_counted_by_class_and_by_kind():
    both = counts_by_class(MIXED.said, MIXED.labels)
    assert {name: [both[name][key] for key in ("pictures", "real", "unsure", "fake")] for name in both} == {
        "real": [6, 3, 2, 1],
        "fake": [7, 1, 2, 4],
    }
    low, high = both["fake"]["interval"]["fake"]
    assert 0 < low < 4 / 7 < high < 1
    kinds = fakes_by_kind(MIXED)
    assert list(kinds) == ["swap_or_reenactment", "diffusion", "other"] and kinds["diffusion"]["auc"] == 1
    assert kinds["swap_or_reenactment"]["pictures"] == 4 and kinds["swap_or_reenactment"]["detection_rate"] == 0.5
    assert kinds["swap_or_reenactment"]["counts"]["real"] == 1 and "interval" in kinds["diffusion"]
    # against all six photographs: of 24 pairs 6 + 5 + 3 + 0.5 are in order, as 0.05 is that of a photograph, too
    assert kinds["swap_or_reenactment"]["auc"] == pytest.approx(14.5 / 24)
    photographs = photographs_by_kind(MIXED)
    assert {kind: (m["pictures"], m["false_alarm_rate"], m["counts"]["fake"]) for kind, m in photographs.items()} == {
        "snapshot": (1, 0.0, 0), "video_frame": (4, 0.5, 1), "other": (1, 1.0, 0),
    }  # fmt: skip


def test_the_worst_source_is_one_of_enough_photographs_and_counts_those_undecided():
    many = scored(
        *[("aaf", 0, 0.9)] * 4, *[("aaf", 0, 0.5)] * 36, *[("scut", 0, 0.1)] * 50, *[("dfdc", 0, 0.99)] * 39,
        ("dfdc", 1, 0.9),
    )  # fmt: skip
    figures = tier_report(many, with_intervals=False)
    worst = figures["worst_source"]
    assert (worst["source"], worst["pictures"], worst["rate"]) == ("aaf", 40, 0.1)
    assert figures["sources"]["dfdc"]["counts"]["real"]["fake"] == 39
    assert worst_source({"aaf": {"counts": {"real": {"pictures": 39, "fake": 39, "interval": {}}}}}) is None


def test_a_report_s_kinds_are_measured_again():
    tier = tier_report(MIXED)
    whole = {"model": {}, "data_sha256": "", "split": "test", "thorough": False, "threshold": 0.5, "generators": {},
             "groups": {}, "against_all": {}}  # fmt: skip
    report = whole | {"tiers": dict.fromkeys(("clean", "web", "hard"), tier)}
    assert not list(differences(report, report))
    other = json.loads(json.dumps(report))
    other["tiers"]["web"]["kinds"]["swap_or_reenactment"]["auc"] -= 0.3
    other["tiers"]["web"]["photographs"]["video_frame"]["interval"] = {}
    assert [line.split(":")[0] for line in differences(report, other)] == ["web.kinds.swap_or_reenactment.auc"]


def test_groups_are_read_from_utkface_names():
    def photograph(origin, label=0, source="utkface"):
        return Sample(Path("x.jpg"), label, "test", source, "", origin)

    samples = [photograph("utkface/real/31_0_0_2017.jpg.chip.jpg"), photograph("4_1_3_2017.jpg"),
               photograph("100_1_4_2017.jpg"), photograph("nameless.jpg"), photograph("31_0_0_1.jpg", source="aaf"),
               photograph("31_0_0_1.jpg", label=1)]  # fmt: skip
    verdicts = [Verdict("fake", p, p, (), ()) for p in (0.9, 0.1, 0.8, 0.9, 0.9, 0.9)]
    counted = {
        name: (m["pictures"], m["false_alarm_rate"]) for name, m in groups(ScoredSet(samples, verdicts, [])).items()
    }
    assert counted == {"age 0 to 9": (1, 0.0), "age 20 to 34": (1, 1.0), "age 65 to 120": (1, 1.0), "male": (1, 1.0),
                       "female": (2, 0.5), "White": (1, 1.0), "Indian": (1, 0.0), "other": (1, 1.0)}  # fmt: skip


def test_generators_are_counted_by_their_names_and_years():
    def fake(generator: str, split: str) -> Sample:
        return Sample(Path("x.jpg"), 1, split, "x", "", generator=generator)

    found = generators(
        [fake("StyleGAN2(TPDNE)", "cross"), fake("StyleGAN2 (NVIDIA samples, FFHQ)", "train"), fake("SDXL", "val"),
         fake("StyleGAN(FFHQ)", "test"), fake("StyleGAN3 psi0.50", "cross"), fake("Stable Diffusion 3.5", "cross"),
         fake("FLUX.1-pro or FLUX.1-dev", "test"), fake("a new one", "test"), fake("", "cross"),
         Sample(Path("x.jpg"), 0, "test", "x", "", generator="Imagen 3")]
    )  # fmt: skip
    rows = {row["name"]: (row["train"], row["test"], row["cross"]) for row in found["known"]}
    counted = {name: numbers for name, numbers in rows.items() if any(numbers)}
    assert counted == {
        "StyleGAN": (0, 1, 0), "StyleGAN2": (1, 0, 1), "StyleGAN3": (0, 0, 1), "FLUX.1 pro": (0, 1, 0),
        "Stable Diffusion 3.5": (0, 0, 1),
    }  # fmt: skip
    assert found["others"] == {"": 1, "a new one": 1}
    assert len(rows) > 50 and all(2010 < row["year"] < 2030 or row["kind"] == "edited" for row in found["known"])
    assert [row["kind"] for row in found["known"]] == sorted((row["kind"] for row in found["known"]), key=KINDS.index)


def test_the_readme_of_kinds_explains_each():
    from deepfake_detect.report.evaluation_texts import KINDS as EXPLAINED

    assert set(EXPLAINED) == {*KINDS[1:], *PHOTOGRAPHS, "other"}


def test_samples_are_spread_over_each_class_of_each_source():
    samples = [Sample(Path(f"{n}.jpg"), n % 2, "test", "a" if n < 80 else "b", "") for n in range(84)]
    chosen = spread(samples, 4)
    assert [int(one.path.stem) for one in chosen] == [0, 1, 20, 21, 40, 41, 60, 61, 80, 81, 82, 83]
    assert spread(samples, 100) == samples


def report_of(**clean) -> dict:
    """A report on test with one source and one group, good but for what is given."""
    tier = {"sources": {"dfdc": {"auc": 0.97}, "utkface": {"false_alarm_rate": 0.05}},
            "macro": {"balanced_accuracy": 0.9}, "all": {"ece": 0.02}, "decided": {"accuracy": 0.96, "coverage": 0.8},
            "worst_source": {"rate": 0.05}}  # fmt: skip
    return {"split": "test", "tiers": {"clean": tier | clean, "web": tier, "hard": tier}, "groups": {},
            "latency_ms": 2.0, "against_all": {}}  # fmt: skip


def test_criteria_are_met_or_missed_by_what_was_measured():
    crowd = {"pictures": 10, "false_alarm_rate": 0.2}
    report = report_of(worst_source={"rate": 0.061}, decided={"accuracy": 0.96, "coverage": 0.7})
    report["groups"] = {"few": crowd | {"pictures": 9}, "many": crowd}
    report["tiers"]["hard"] = report["tiers"]["hard"] | {"macro": {"balanced_accuracy": 0.85}}
    report["tiers"]["web"] = report["tiers"]["web"] | {"all": {"ece": 0.031}}
    met = {criterion["name"]: criterion["met"] for criterion in criteria_of(report)}
    assert met["AUC dfdc"] and met["accuracy outside the unsure band, test"] and met["ECE, clean, test"]
    assert met["milliseconds for one look at a face"] and met["AUC stylegan"] is None
    assert {name for name, reached in met.items() if reached is False} == {
        "balanced accuracy lost from clean to hard, macro, test", "ECE, web, test", "share decided, test",
        "photographs called fake, decided or not, worst source of 40 or more, test",
        "false alarms of the worst group of 10 or more, over the mean",
    }  # fmt: skip
    cross = report_of(decided={"accuracy": 0.94, "coverage": 0.7}) | {"split": "cross", "against_all": {"sd14": 0.949}}
    reached = {criterion["name"]: criterion["met"] for criterion in criteria_of(cross)}
    assert [name for name, good in reached.items() if good is False] == ["AUC sd14, against every photograph of cross"]
    assert reached["share decided, cross"] and reached["accuracy outside the unsure band, cross"]


def test_a_criterion_on_what_the_model_leaves_undefined_is_missed_and_one_without_pictures_is_not_measured():
    report = report_of(sources={}, worst_source=None, decided={"accuracy": None, "coverage": 0.0})
    criteria = {criterion["name"]: criterion for criterion in criteria_of(report)}
    undefined = criteria["accuracy outside the unsure band, test"]
    assert undefined["met"] is False and undefined["measured"] is None
    assert criteria["share decided, test"]["met"] is False and criteria["ECE, clean, test"]["met"] is True
    assert list(criteria) == [criterion.name for criterion in CRITERIA if criterion.split == "test"]
    unmeasured = [name for name, criterion in criteria.items() if criterion["met"] is None]
    assert len(unmeasured) == 10
    assert all(name.startswith(("AUC", "false alarms", "photographs called")) for name in unmeasured)
    assert all(criteria[name]["measured"] is None for name in unmeasured)
    shown = "\n".join(criteria_markdown(list(criteria.values())))
    assert shown.count("| not measured |  |") == 10 and shown.count("| undefined | **missed** |") == 1


def test_the_battery_has_criteria_of_its_own():
    report = {"all": {"mean": 0.04, "flip_rate": 0.006}, "examples": {"flips": []}, "split": "test"}
    assert [criterion["met"] for criterion in criteria_of(report, BATTERY_CRITERIA)] == [True, False, True]


def test_the_shipped_report_has_every_part():
    report = json.loads((ROOT / "reports" / "shipped" / "test" / "report.json").read_text(encoding="utf-8"))
    for tier in report["tiers"].values():
        said = tier["counts"]
        assert said["real"]["pictures"] + said["fake"]["pictures"] == tier["all"]["pictures"]
        assert said["real"]["fake"] == tier["decided"]["said_fake"]["wrong"]
        assert sum(kind["pictures"] for kind in tier["kinds"].values()) == said["fake"]["pictures"]
        assert sum(kind["pictures"] for kind in tier["photographs"].values()) == said["real"]["pictures"]
        rates = [np.divide(m["counts"]["real"]["fake"], m["counts"]["real"]["pictures"])
                 for m in tier["sources"].values() if m["counts"].get("real", {}).get("pictures", 0) >= 40]  # fmt: skip
        assert tier["worst_source"]["rate"] == pytest.approx(max(rates))
    assert report["curves"]["pictures"] < report["tiers"]["clean"]["all"]["pictures"]
    assert any(row["test"] for row in report["generators"]["known"])
