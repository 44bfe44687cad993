"""What is made of answers: errors of sources that weigh the same, the order of layouts, left-out devices, what is written."""
import pathlib
import tempfile
import unittest

from scoring import devices, errors, orders, plans, plot, recorded, report, row, simulator, table


def scored(predicted: float, measured: float, source: str = "a", family: str = "gemm.bf16", **more) -> row.Row:
    return row.Row("file.csv", "name", source, source, family, measured=measured, predicted=predicted, **more)


class Errors(unittest.TestCase):
    def test_each_source_weighs_the_same(self):
        # Nine rows of one source 10 % too long, one of another 50 % too short: of two halves the lower is the median.
        rows = [scored(1.1, 1) for _ in range(9)] + [scored(0.5, 1, "b")]
        found = errors.summary(rows)
        self.assertEqual(found.rows, 10)
        self.assertAlmostEqual(found.median, 0.1)
        self.assertAlmostEqual(found.p90, 0.5)
        self.assertAlmostEqual(found.bias, -0.5)

    def test_quantiles_of_equal_weights(self):
        values = [5.0, 1.0, 4.0, 2.0, 3.0]
        self.assertEqual(errors.weighted_quantile(values, [1.0] * 5, 0.5), 3.0)
        self.assertEqual(errors.weighted_quantile(values, [1.0] * 5, 0.9), 5.0)

    def test_half_the_time_is_as_bad_as_twice(self):
        rows = [scored(1.9, 1), scored(0.5, 1), scored(1.2, 1)]
        self.assertEqual([each.predicted for each in errors.worst(rows, 2)], [0.5, 1.9])

    def test_a_start_that_a_source_adds_is_one_number(self):
        # Small ones take 3 and 5 s longer than answered, of two the lower; the large one is right with them.
        rows = [scored(2, 5, question={"bytes": "8"}), scored(2, 7, question={"bytes": "64"}), scored(100, 103, question={"bytes": "1000000"})]
        found = errors.with_starts(rows)
        self.assertAlmostEqual(found.median, 0.0)
        self.assertAlmostEqual(found.p90, 2 / 7)

    def test_unmeasured_gpus_and_those_left_out_are_the_others(self):
        rows = [scored(1.0, 1, own=True, left_out=1.3), scored(1.2, 1), scored(1.0, 1, own=True)]
        found = errors.left_out_summary(rows)
        self.assertEqual(found.rows, 2)
        self.assertAlmostEqual(found.p90, 0.3)

    def test_of_rows_that_ask_the_same_the_middle_counts(self):
        rows = [scored(1, measured) for measured in (3.0, 1.0, 2.0)]
        row.refuse_repeated(rows)
        self.assertEqual([each.measured for each in rows if not each.reason], [2.0])
        two = [scored(1, 3.0), scored(1, 1.0), scored(1, 9.0, "other")]
        row.refuse_repeated(two)
        self.assertEqual([each.measured for each in two if not each.reason], [1.0, 9.0])


class Orders(unittest.TestCase):
    def layouts(self, *times: tuple[str, float, float]) -> orders.Order:
        rows = [scored(predicted, measured, family="static.x", kind=row.STATIC, question={"layout": name, "model": "m"})
                for name, measured, predicted in times]
        return orders.orders(rows)[row.STATIC]

    def test_pairs_of_layouts(self):
        found = self.layouts(("1", 10, 9), ("2", 6, 7), ("4", 5, 8))
        self.assertEqual((found.pairs, found.right), (3, 2))

    def test_ties_and_the_same_layout_are_no_pairs(self):
        self.assertEqual(self.layouts(("1", 10, 9), ("2", 10.05, 7), ("1", 20, 8)).pairs, 1)


class Devices(unittest.TestCase):
    FILES = {
        "one": ['guesses: "x"', 'constant { name: compute_efficiency value: "0.8" kind: measured source: "k" }',
                'operators { of: "gemm.bf16" launch: "4us" compute: "0.8" kind: measured source: "k" }',
                'operators { of: "gemm.fp8" launch: "4us" kind: measured source: "k" }',
                'collectives { of: "nccl.ring.ll" inside: "0.5" launch: "6us" copy: "0.3" kind: measured source: "f" note: "n" }'],
        "two": ['constant { name: compute_efficiency value: "0.6" kind: measured source: "k" }',
                'operators { of: "gemm.bf16" launch: "2us" memory: "0.5" kind: measured source: "k" }',
                'collectives { of: "nccl.ring.ll" launch: "8us" kind: measured source: "f" }'],
        "three": ['constant { name: compute_efficiency value: "0.4" kind: measured source: "k" }',
                  'operators { of: "gemm.bf16" launch: "6000ns" compute: "0.6" kind: measured source: "k" }',
                  'collectives { of: "nccl.ring.ll" inside: "0.2" fill: "2us" launch: "4us" copy: "0.2" kind: measured source: "f" }'],
        "relative": ['operators { of: "gemm.bf16" launch: "90us" kind: assumed source: "here" }'],
    }

    def write(self) -> tuple[dict[str, set[str]], dict[str, list[str]]]:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for gpu, lines in self.FILES.items():
                (folder / f"{gpu}.textproto").write_text("\n".join(lines) + "\n")
            lone = devices.write_left_out(folder, folder / "out")
            return lone, devices.lines_of(folder / "out")

    def test_who_was_measured(self):
        self.assertEqual(devices.with_kernels(self.FILES), {"one", "two", "three"})
        self.assertEqual(devices.with_collectives(self.FILES)["two"], {"nccl.ring.ll"})

    def test_a_device_has_the_mean_of_the_others(self):
        lone, written = self.write()
        self.assertEqual(set(written), {"one", "two", "three"})
        self.assertEqual(written["one"], [
            'guesses: "x"', 'constant { name: compute_efficiency value: "0.5" kind: assumed source: "k" }',
            # A share that one of them leaves out is 1, a time 0; a copy is the mean of those that have it.
            'operators { of: "gemm.bf16" compute: "0.8" launch: "4us" memory: "0.75" kind: assumed source: "k" }',
            'collectives { of: "nccl.ring.ll" copy: "0.2" fill: "1us" inside: "0.6" launch: "6us" kind: assumed source: "f" note: "n" }'])
        self.assertEqual(lone, {"one": {"gemm.fp8"}, "two": set(), "three": set()})
        self.assertEqual(written["two"][-1], devices.GUESS)


class Answers(unittest.TestCase):
    def test_messages_lose_their_place_and_numbers(self):
        self.assertEqual(simulator.general("/tmp/x.csv:3:1: error: ranks = 64: must be at most 8\n"), "ranks = N: must be at most N")

    def test_a_service_answers_each_quantity(self):
        result = {"tpot_s": {"mean": 0.02}, "ttft_s": {"mean": 0.3, "max": 1}, "memory": {"fits": True},
                  "serving": {"requests": 9, "completed": 9, "output_tokens_per_s_per_gpu": 500}}
        for quantity, seconds in (("tpot", 0.02), ("ttft", 0.3), ("throughput", 0.002)):
            asked = scored(0, 1, kind=row.SERVING, question={"quantity": quantity})
            self.assertEqual(plans.answer_of(asked, result), (seconds, "", ""))
        result["serving"]["completed"] = 8
        self.assertIn("refused", plans.answer_of(asked, result)[1])

    def test_a_static_batch_may_not_fit(self):
        result = {"makespan_s": 5, "ttft_s": {"mean": 1, "max": 2}, "memory": {"fits": False}}
        self.assertEqual(plans.answer_of(scored(0, 1, kind=row.STATIC, question={"quantity": "e2e"}), result)[0], 5)
        seconds, _, remark = plans.answer_of(scored(0, 1, kind=row.STATIC, question={"quantity": "ttft"}), result)
        self.assertEqual((seconds, remark), (2, "does not fit in memory here"))


class Recorded(unittest.TestCase):
    REQUESTS = [{"arrival_time": 100.0, "queued_ts": 7.5, "first_token_ts": 8.0, "last_token_ts": 9.0, "input_toks": 5, "output_toks": 3},
                {"arrival_time": 102.0, "queued_ts": 9.0, "first_token_ts": 9.5, "last_token_ts": 9.5, "input_toks": 6, "output_toks": 1}]

    def test_clocks_are_laid_onto_each_other_where_sending_took_least(self):
        # The second was queued as it was sent, at 9.0 of the engine's clock: the first was sent at 7.0.
        found = recorded.times_of(self.REQUESTS)
        self.assertEqual(found, {"ttft_s": [1.0, 0.5], "tpot_s": [0.5], "e2e_s": [2.0, 0.5]})
        self.assertEqual(recorded.trace_of(self.REQUESTS).splitlines()[1:], ["0.000000000,5,3", "2.000000000,6,1"])

    def test_settings_are_those_that_were_written_down(self):
        kwargs = {"max_num_batched_tokens": 2048, "max_num_seqs": 64, "max_model_len": None, "tensor_parallel_size": 1, "data_parallel_size": 2,
                  "enable_expert_parallel": True}
        self.assertEqual(recorded.engine_of({"engine_kwargs": kwargs, "kv_cache": {"num_gpu_blocks": 9}}),
                         'engine { name: "vllm" max_tokens_per_pass: 2048 max_sequences: 64 kv_blocks: 9 }')
        self.assertEqual(recorded.layout_of(kwargs), "layout { dense_data: 2 expert: 2 }")

    def test_a_table_has_a_run_a_line(self):
        run = recorded.Recorded("x", 2, {name: recorded.figures([1.0, 3.0]) for name in recorded.QUANTITIES},
                                {name: {"mean": 2.2, "p50": 2.0, "p90": 2.8, "p99": 2.98} for name in recorded.QUANTITIES})
        self.assertIn("| x | 2 | 2, 2, 2.8, 2.98; +10, +0, +0, +0 |", recorded.lines([run])[2])


class Written(unittest.TestCase):
    ROWS = [scored(1.5e-6, 1e-6, own=True, left_out=2e-6, gpu="h100"), scored(1e-3, 1e-3, family="gemm.fp8", gpu="mi300x"),
            row.Row("file.csv", "x", "a", "a", reason="no time")]

    def test_the_table_has_families_and_their_group(self):
        found = table.text(self.ROWS)
        self.assertIn('{"gemm", true, 0.5, 0.5, 1, {1e-06}, {1e-06}},', found)
        self.assertIn('{"gemm", false, 0, 1, 2, {1e-06}, {0.001}},', found)
        self.assertIn('{"gemm.fp8", false, 0, 0, 1, {0.001}, {0.001}},', found)
        self.assertIn('{"gemm.bf16", "h100", "nvidia", true},', found)
        self.assertIn('{"gemm.fp8", "mi300x", "amd", false},', found)
        self.assertTrue(all(len(line) <= 100 for line in found.splitlines()))

    def test_the_report_says_all(self):
        found = report.readme(self.ROWS)
        for line in ("2 of 3 rows are scored.", "| gemm.bf16 | 1 | 50.0 | 50.0 | +50.0 | 50.0 / 50.0 | 100.0 / 100.0 (1) |",
                     "| file.csv | no time | 1 |", "| GEMM, bf16 | 1 | 50.0 | 50.0 | +50.0 | 7.0 | no |"):
            self.assertIn(line + "\n", found)
        self.assertEqual(found, report.readme(list(self.ROWS)))

    def test_a_right_prediction_is_on_the_diagonal(self):
        axes = plot.Axes([1e-6, 1e-3])
        x, y = axes.point(scored(1e-4, 1e-4))
        self.assertEqual(x - plot.LEFT, plot.TOP + plot.SIZE - y)
        self.assertIn("gemm (2)", plot.svg(self.ROWS))


if __name__ == "__main__":
    unittest.main()
