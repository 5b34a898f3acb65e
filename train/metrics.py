"""Metrics of calibrated probabilities; scikit-learn does the counting."""

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score

THRESHOLD = 0.5


def binary_metrics(p_fake: np.ndarray, labels: np.ndarray) -> dict:
    """Headline metrics at the fixed threshold 0.5; "fake" is the positive class.

    Args:
        p_fake: [N] calibrated probabilities, 0..1.
        labels: [N], 0 real, 1 fake.

    Returns:
        With both classes: pictures, accuracy, precision, recall, f1, auc (all 0..1) and confusion
        {real_as_real, real_as_fake, fake_as_real, fake_as_fake} in pictures. With fakes alone: pictures and
        detection_rate. With reals alone: pictures and false_alarm_rate.
    """
    said_fake = p_fake >= THRESHOLD
    present = set(labels.tolist())
    if present == {1}:
        return {"pictures": len(labels), "detection_rate": float(said_fake.mean())}
    if present == {0}:
        return {"pictures": len(labels), "false_alarm_rate": float(said_fake.mean())}
    precision, recall, f1, _ = precision_recall_fscore_support(labels, said_fake, average="binary", zero_division=0)
    (tn, fp), (fn, tp) = confusion_matrix(labels, said_fake, labels=[0, 1]).tolist()
    return {
        "pictures": len(labels),
        "accuracy": float(accuracy_score(labels, said_fake)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc": float(roc_auc_score(labels, p_fake)),
        "confusion": {"real_as_real": tn, "real_as_fake": fp, "fake_as_real": fn, "fake_as_fake": tp},
    }


def decided_metrics(verdicts: list[str], labels: np.ndarray) -> dict:
    """How often the verdict is "real" or "fake" rather than "unsure", and how often it is then right.

    Args:
        verdicts: [N] of "real" | "fake" | "unsure".
        labels: [N], 0 real, 1 fake.

    Returns:
        coverage and accuracy (0..1) of the decided verdicts; for each side said_real, said_fake: pictures,
        and wrong among them. Rates of no pictures are None.
    """
    said = np.array(verdicts)
    real, fake = said == "real", said == "fake"
    wrong_real, wrong_fake = int((real & (labels == 1)).sum()), int((fake & (labels == 0)).sum())
    decided = int(real.sum() + fake.sum())
    return {
        "coverage": decided / len(labels),
        "accuracy": 1 - (wrong_real + wrong_fake) / decided if decided else None,
        "said_real": {"pictures": int(real.sum()), "wrong": wrong_real},
        "said_fake": {"pictures": int(fake.sum()), "wrong": wrong_fake},
    }
