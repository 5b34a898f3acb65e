"""One epoch of training, and what is set and said during it."""

import sys
from time import perf_counter

import keras
import numpy as np

from train.batches import Batches
from train.recipe import Recipe


def run_epoch(
    model: keras.Model, train: Batches, val: Batches, epoch: int, callbacks: keras.callbacks.CallbackList
) -> dict[str, float]:
    """One epoch, as `keras.Model.fit` runs it, but for one thing: batches are made between the steps by all cores, and
    not during them by a thread that takes a core away from the network.

    Returns:
        learning_rate (the schedule's), and loss, accuracy, val_loss and val_accuracy, each a mean over the epoch.
    """
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(epoch)
    pictures, sums = 0, {}
    for step in range(len(train)):
        callbacks.on_train_batch_begin(step)
        batch = train[step]  # pixels and labels, of a recipe with kinds the labels' weights, too
        count = len(batch[0])
        for name, value in model.train_on_batch(*batch, return_dict=True).items():  # of this batch alone
            sums[name] = sums.get(name, 0.0) + float(value) * count
        pictures += count
        logs = {name: total / pictures for name, total in sums.items()}
        callbacks.on_train_batch_end(step, logs)
    if "logits_accuracy" in logs:
        logs["accuracy"] = logs["logits_accuracy"]
    callbacks.on_test_begin()  # where `Average` puts its weights in place of the step's
    measured = _validated(model, val)
    callbacks.on_test_end()
    callbacks.on_epoch_end(epoch, logs | {name: measured[name] for name in ("val_loss", "val_accuracy")})
    callbacks.on_train_end()
    return logs | measured | {"learning_rate": float(model.optimizer.learning_rate)}


def _validated(model: keras.Model, val: Batches) -> dict:
    """{"val_loss": mean cross entropy of real and fake, "val_accuracy", "val_logits": [N, 2]}"""
    batches = [val[number] for number in range(len(val))]
    logits = np.concatenate([outputs_of(model, pixels)["logits"] for pixels, _ in batches]).astype(np.float64)
    labels = np.concatenate([labels for _, labels in batches])
    wrong = logits[np.arange(len(labels)), 1 - labels] - logits[np.arange(len(labels)), labels]
    loss = float(np.mean(np.logaddexp(0, wrong)))
    return {"val_loss": loss, "val_accuracy": float(np.mean(logits.argmax(1) == labels)), "val_logits": logits}


def outputs_of(model: keras.Model, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """[N, S, S, 3] -> {"logits": [N, 2]}, and {"kinds": [N, K]} of a network that gives these beside them."""
    outputs = model.predict_on_batch(pixels)
    return outputs if isinstance(outputs, dict) else {"logits": outputs}


def seed_layers(model: keras.Model, seed: int, epoch: int) -> None:
    """Saved weights do not hold the state of dropout's random numbers, so each epoch sets it anew."""
    generators = [layer.seed_generator for layer in model.layers if getattr(layer, "seed_generator", None)]
    for number, generator in enumerate(generators):
        states = np.random.default_rng([seed, epoch, number]).integers(2**31, size=2)
        generator.state.assign(states)


class Rates(keras.callbacks.Callback):
    """Sets the recipe's learning rate, in the first steps of a new optimizer that of its warm-up."""

    def __init__(self, recipe: Recipe):
        super().__init__()
        self.recipe, self.rate = recipe, recipe.rate(0)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.rate = self.recipe.rate(epoch)
        self.model.optimizer.learning_rate = self.rate

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self.recipe.warm_up is None:
            return
        step = int(self.model.optimizer.iterations) + 1
        if step <= self.recipe.warm_up:
            self.model.optimizer.learning_rate = self.rate * step / self.recipe.warm_up


class Progress(keras.callbacks.Callback):
    """Where nobody watches a progress bar, says every few hundred steps how an epoch is going."""

    EVERY = 100  # steps

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch, self.started = epoch + 1, perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if (batch + 1) % self.EVERY or sys.stdout.isatty():
            return
        figures = ", ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        seconds = (perf_counter() - self.started) / (batch + 1)
        print(f"epoch {self.epoch}, step {batch + 1}: {figures}, {seconds:.2f} s a step", flush=True)
