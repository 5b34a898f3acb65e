"""What was asked of the speed beforehand, and whether the results meet it."""

from dataclasses import dataclass

from bench.engines import OTHERS, VIT


@dataclass(frozen=True)
class Goal:
    """A bound on figures of one table, of which the worst counts. Either `at_least` or `at_most` is given."""

    name: str
    part: str
    table: str
    rows: tuple[tuple, ...] = ()  # the first cells of each row that is meant; by default all rows
    columns: tuple[str, ...] = ()  # by default all but the first
    at_least: float | None = None
    at_most: float | None = None

    def measured(self, results: dict) -> float:
        """The worst of the figures. Raises LookupError where the results lack one."""
        (table,) = (table for table in results[self.part]["tables"] if table["name"] == self.table)
        rows = [row for row in table["rows"] if not self.rows or any(row[: len(k)] == [*k] for k in self.rows)]
        if len(rows) < max(1, len(self.rows)):
            raise LookupError(f"{self.part}, {table['title']}: not every row of {self.rows}")
        places = map(table["columns"].index, self.columns or table["columns"][1:])
        figures = [row[place] for place in places for row in rows]
        return max(figures) if self.at_least is None else min(figures)

    @property
    def bound(self) -> float:
        return self.at_most if self.at_least is None else self.at_least

    def met(self, results: dict) -> bool:
        value = self.measured(results)
        return value <= self.at_most if self.at_least is None else value >= self.at_least


# Ratios first: they carry over to other machines.
GOALS = (
    Goal("ViT-B/16: times as long as the network", "engines", "ratios", ((VIT,),), at_least=100),
    Goal("fastest other engine: times as long as onnxruntime, float32", "engines", "ratios",
         tuple((name,) for name in OTHERS), at_least=round(1 / 1.1, 3)),
    Goal("photograph: share of the time beside decoding, finding faces and the network", "photo", "split",
         columns=("other",), at_most=0.05),
    Goal("folder: time for each further picture, many over few", "folder", "growth", columns=("ratio",), at_most=1.1),
    Goal("folder: peak memory, 20,000 pictures over 200", "folder", "growth",
         columns=("peak memory of 20000 over 200",), at_most=1.1),
    Goal("`/analyze_batch`: pictures/s over the command line's", "server", "albums", columns=("over the command line",),
         at_least=0.8),
    Goal("server: growth of memory from 100 to 2,000 requests", "server", "memory", columns=("growth",), at_most=0.05),
    Goal("training: share of the time that the input pipeline takes", "training", "steps", columns=("share lost",),
         at_most=0.1),
    Goal("`/predict`, one client: ms that it takes beyond an empty Gradio function", "server", "requests", ((1,),),
         ("p50 over nothing, ms",), at_most=20),
    Goal("photograph of 0.8 megapixels: ms from the file to the verdict", "photo", "split", ((0.8,),), ("all",),
         at_most=15),
    Goal("photograph of 12 megapixels: ms from the file to the verdict", "photo", "split", ((12,),), ("all",),
         at_most=80),
    Goal("folder, 0.1 megapixels: pictures/s", "folder", "folders", ((0.1, 2000),), ("pictures/s",), at_least=200),
    Goal("folder, 0.8 megapixels: pictures/s", "folder", "folders", ((0.8, 2000),), ("pictures/s",), at_least=100),
    Goal("folder: peak memory, MB", "folder", "folders", columns=("peak memory, MB",), at_most=600),
    Goal("server: s until the page is up", "server", "start", columns=("page up",), at_most=4),
    Goal("the page in a browser, int8: MB of a first visit", "web", "visits", (("int8",),), ("MB with gzip",),
         at_most=6),
    Goal("the page in a browser: s from opening it to the first verdict", "web", "visits",
         columns=("s until the first verdict",), at_most=3),
    Goal("the page in a browser: ms of the next verdict", "web", "visits", columns=("ms of the next",), at_most=150),
)  # fmt: skip
