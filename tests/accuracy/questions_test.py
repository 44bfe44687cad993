"""Rows as questions: what a measured row asks the simulator. All rows here are made up."""
import csv
import pathlib
import tempfile
import unittest

from scoring import collectives, kernels, models, own_kernels, row, services

KERNEL = kernels.EMPTY | {"id": "x", "source": "someone/tables@1 file", "hw": "H100-SXM-80", "confidence": "verified"}
COLLECTIVE = dict.fromkeys(("id", "confidence", "source", "hw", "n_gpus", "n_nodes", "gpus_per_scaleup", "nic_Gbps_per_gpu", "op", "lib",
                            "algo", "dtype", "size_bytes", "time_us", "busbw_GBs", "tokens_per_gpu", "hidden", "topk", "n_experts", "sms"), "")
COLLECTIVE |= {"id": "x", "source": "someone/tables", "hw": "H100-SXM-80", "n_nodes": "1", "gpus_per_scaleup": "8", "lib": "NCCL 2.20"}
# 6 x (4 x 512^2 + 2 x 512 x 2048) parameters, and 1,000 x 512 once: 19.4 M; a gate would be 6.3 M more.
MODEL = {"model": "small", "params_B": "0.019386", "layers": "6", "hidden": "512", "heads": "8", "kv_heads": "8", "head_dim": "64",
         "ffn": "2048", "vocab": "1000", "attn": "MHA"}
INFERENCE = MODEL | dict.fromkeys(("id", "confidence", "source", "hw", "n_gpus", "nic_Gbps_per_gpu", "framework", "precision", "kv_precision",
                                   "mode", "phase", "tp", "pp", "ep", "moe_tp", "attn_dp", "batch", "concurrency", "isl", "osl", "ttft_ms", "tpot_ms",
                                   "e2e_ms", "out_tok_s", "out_tok_s_per_gpu", "notes", "traffic"), "")
INFERENCE |= {"id": "x", "source": "someone/tables", "hw": "A100-SXM-80", "n_gpus": "2", "tp": "2", "framework": "vLLM (2024-01)",
              "precision": "bf16", "mode": "static", "batch": "4", "isl": "100", "osl": "20", "e2e_ms": "500"}


def kernel(**cells: str) -> row.Row:
    return kernels.question_of(KERNEL | cells, "kernels.csv")


class Kernels(unittest.TestCase):
    def test_a_product_is_its_shape_and_type(self):
        found = kernel(op="gemm", dtype="fp8-block", m="16", n="32", k="64", time_us="5")
        self.assertEqual(found.question, {"gpu": "h100", "kind": "gemm", "m": "16", "n": "32", "k": "64", "dtype": "fp8_block"})
        self.assertEqual((found.family, found.group, found.source), ("gemm.fp8_block", "gemm", "someone/tables H100-SXM-80"))
        self.assertAlmostEqual(found.measured, 5e-6)

    def test_floats_of_16_bits_are_one_family(self):
        found = kernel(op="gemm", dtype="fp16", m="1", n="1", k="1", time_us="5")
        self.assertEqual((found.family, found.question["dtype"]), ("gemm.bf16", "fp16"))

    def test_decode_is_told_apart_by_its_kv_heads(self):
        shape = {"op": "attention_decode", "dtype": "bf16", "batch": "2", "heads": "8", "head_dim": "128", "seq_kv": "1000", "time_us": "9"}
        self.assertEqual(kernel(kv_heads="1", **shape).family, "attention_decode.1_kv_head")
        found = kernel(kv_heads="2", **shape)
        self.assertEqual((found.family, found.question["context"]), ("attention_decode.2_kv_heads_up", "1000"))

    def test_the_time_of_attention_may_be_in_its_rate(self):
        # 4 x 2 x 8 x 100^2 x 64 = 40.96 MFLOP at 1 TFLOP/s; causal is half of it.
        shape = {"op": "attention_fwd", "dtype": "fp16", "batch": "2", "heads": "8", "head_dim": "64", "seq_q": "100", "seq_kv": "100", "tflops": "1"}
        self.assertAlmostEqual(kernel(causal="0", **shape).measured, 40.96e-6)
        self.assertAlmostEqual(kernel(causal="1", **shape).measured, 20.48e-6)

    def test_an_expert_is_as_wide_as_its_share(self):
        shape = {"op": "moe_grouped_gemm", "dtype": "bf16", "groups": "8", "topk": "2", "tokens": "64", "hidden": "512", "inter": "1024",
                 "moe_tp": "4", "moe_ep": "2", "time_us": "30"}
        found = kernel(distribution="balanced", **shape)
        self.assertEqual((found.question["ffn"], found.question["ep"], found.question["experts"]), ("256", "2", "8"))
        self.assertIn("unevenly", kernel(distribution="power_law_1.2", **shape).reason)

    def test_bytes_of_what_is_element_by_element(self):
        # 10 tokens of 100 elements of 2 bytes: an addition moves three of them, an activation reads one and writes half.
        self.assertEqual(kernel(op="add", m="10", k="100", time_us="3").question["bytes"], "6000")
        self.assertEqual(kernel(op="mlp_act", m="10", k="100", time_us="3").question["bytes"], "3000")

    def test_what_cannot_be_asked_says_why(self):
        shape = {"op": "gemm", "dtype": "bf16", "m": "1", "n": "1", "k": "1", "time_us": "1"}
        for cells, reason in (({"hw": "Abacus"}, "not in the catalogue"), ({"dtype": "fp2"}, "none of the simulator's"), ({"m": ""}, "no shape"),
                              ({"time_us": ""}, "no time"), ({"confidence": "from-memory"}, "from memory"), ({"pct_hbm": "101"}, "warm L2"),
                              ({"op": "attention_bwd"}, "backward"), ({"op": "sorting"}, "no operator")):
            self.assertIn(reason, kernel(**(shape | cells)).reason, cells)

    def test_larger_tables_have_the_columns_of_kernels(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "bulk").mkdir()
            (folder / "models.csv").write_text("model,hidden,experts,topk,moe_ffn\nmixed,512,8,2,1024\n")
            (folder / "hardware.csv").write_text("hw,hbm_GBs\nH100-SXM-80,100\n")
            (folder / "bulk" / "aic_moe_subset.csv").write_text(
                "system,model,dtype,tokens,moe_tp,moe_ep,distribution,time_us,source\nH100-SXM-80,mixed,bfloat16,5,2,1,balanced,40,a/b c\n")
            (folder / "bulk" / "aic_gemm_subset.csv").write_text(
                "system,dtype,m,n,k,time_us,gbs,source\nH100-SXM-80,bf16,1,2,3,4,99,a/b c\nH100-SXM-80,bf16,1,2,3,4,101,a/b c\n")
            gemm, warm, moe = kernels.questions(folder)
        self.assertEqual(moe.question | {"gpu": ""}, {"gpu": "", "kind": "moe", "dtype": "bf16", "tokens": "5", "hidden": "512", "ffn": "512",
                                                      "experts": "8", "top_k": "2", "ep": "1"})
        self.assertEqual((gemm.question["n"], gemm.reason), ("2", ""))
        self.assertIn("warm L2", warm.reason)


class OwnKernels(unittest.TestCase):
    ROW = {"gpu": "NVIDIA H200", "kind": "attn_decode", "source": "library", "dtype": "bf16", "run": "1", "graph": "1", "cold": "1", "note": "",
           "batch": "2", "context": "64", "heads": "8", "kv_heads": "4", "head_dim": "128", "time_us": "9", "bytes": "100"}

    def ask(self, **cells: str) -> row.Row:
        return kernels.question_of(own_kernels.as_kernel(self.ROW | cells, "x.csv"), "platforms/measured/x.csv")

    def test_they_are_kernels_of_a_source_of_their_own(self):
        found = self.ask()
        self.assertEqual((found.family, found.question["context"]), ("attention_decode.2_kv_heads_up", "64"))
        self.assertEqual((found.source, found.published), ("platforms/measured H200-SXM-141", False))
        self.assertEqual(self.ask(kind="rmsnorm").question, {"gpu": "h200", "kind": "elementwise", "bytes": "100"})

    def test_what_is_no_operator_from_a_graph_out_of_memory_is_not_asked(self):
        for cells in ({"kind": "sort"}, {"graph": "0"}, {"cold": "0"}, {"kind": "gemm", "dtype": "fp8>bf16"}):
            with self.assertRaises(kernels.Unscored):
                self.ask(**cells)


class Collectives(unittest.TestCase):
    def ask(self, **cells: str) -> row.Row:
        return collectives.question_of(COLLECTIVE | cells)

    def test_nccl_in_a_domain(self):
        found = self.ask(op="alltoall", n_gpus="4", size_bytes="1024", dtype="float", time_us="20")
        self.assertEqual(found.question, {"op": "all_to_all", "gpu": "h100", "ranks": "4", "ranks_per_node": "4", "library": "nccl",
                                          "dtype": "fp32", "bytes": "1024"})
        self.assertEqual(found.family, "nccl.one_domain")

    def test_nccl_over_servers_has_their_nics(self):
        found = self.ask(op="all_reduce", n_gpus="16", n_nodes="2", size_bytes="1e6", nic_Gbps_per_gpu="200", time_us="20")
        self.assertEqual((found.question["ranks_per_node"], found.question["nics_per_node"], found.question["nic_gbps"]), ("8", "8", "200"))
        self.assertEqual(found.family, "nccl.several_servers")

    def test_a_bus_bandwidth_is_a_time(self):
        # 2 x 3 / 4 of 4 MB at 6 GB/s: 1 ms; of all_gather half of it.
        self.assertAlmostEqual(self.ask(op="all_reduce", n_gpus="4", size_bytes="4e6", busbw_GBs="6").measured, 1e-3)
        self.assertAlmostEqual(self.ask(op="all_gather", n_gpus="4", size_bytes="4e6", busbw_GBs="6").measured, 0.5e-3)

    def test_tokens_have_no_bytes(self):
        found = self.ask(op="moe_combine", lib="DeepEP low-latency (engine 1)", n_gpus="8", tokens_per_gpu="16", hidden="512", topk="2",
                         n_experts="8", time_us="30")
        self.assertEqual((found.question["library"], found.question["dtype"], found.question["tokens"]), ("deepep_low_latency", "bf16", "16"))
        self.assertNotIn("bytes", found.question)

    def test_what_cannot_be_asked_says_why(self):
        shape = {"op": "all_reduce", "n_gpus": "4", "size_bytes": "1024", "time_us": "20"}
        for cells, reason in (({"lib": "MYCCL 1"}, "library MYCCL 1"), ({"lib": "NCCL (SHARP)"}, "switches of the network"),
                              ({"algo": "Ring"}, "forced"), ({"op": "gossip"}, "no collective"), ({"time_us": ""}, "no time"),
                              ({"lib": "vllm 1 custom", "algo": "vllm_eager"}, "by the host"), ({"hw": "Abacus"}, "not in the catalogue")):
            self.assertIn(reason, self.ask(**(shape | cells)).reason, cells)


class Models(unittest.TestCase):
    def test_what_a_table_leaves_open_follows_from_the_parameters(self):
        self.assertEqual(models.left_open(MODEL), (False, True))
        gated = str((6 * (4 * 512**2 + 3 * 512 * 2048) + 2 * 1000 * 512) / 1e9)
        self.assertEqual(models.left_open(MODEL | {"params_B": gated}), (True, False))
        self.assertEqual(models.left_open(MODEL | {"params_B": ""}), (False, False))
        self.assertEqual(models.left_open(MODEL | {"params_B": "", "ffn": "1500"}), (True, False))

    def test_a_dense_model_as_a_file(self):
        text = models.model_text(MODEL, "fp8", "fp8", False)
        for line in ("layers: 6", "attention { heads: 8 kv_heads: 8 head_dim: 64 }", "dense { width: 2048 gated: false }", "weight_dtype: fp8",
                     "kv_dtype: fp8", "tied_embeddings: true"):
            self.assertIn(line + "\n", text)

    def test_weights_alone_may_be_narrow(self):
        text = models.model_text(MODEL, "int8", "", True)
        self.assertIn("dtype: int8 arithmetic: bf16", text)
        self.assertIn("weight_dtype: bf16", text)
        self.assertIn("weight_dtype: int8", models.model_text(MODEL, "int8", "", False))

    def test_experts_as_a_file(self):
        mixed = MODEL | {"ffn": "", "experts": "8", "topk": "2", "moe_ffn": "256", "shared_experts": "1", "dense_layers": "0"}
        text = models.model_text(mixed, "bf16", "", False)
        self.assertIn("moe { experts: 8 top_k: 2 expert { width: 256 gated: true }", text)
        self.assertIn("shared_experts: 1 shared { width: 256 gated: true }", text)
        self.assertNotIn("dense {", text)

    def test_attention_that_a_plan_has_not_is_refused(self):
        for attention in ("MLA q_lora1536", "GQA, alternating 128-token sliding window", "hybrid", "unknown"):
            with self.assertRaises(models.Unscored):
                models.model_text(MODEL | {"attn": attention}, "bf16", "", False)


class Generations(unittest.TestCase):
    def rows(self, **cells: str) -> list[row.Row]:
        return services.rows_of(INFERENCE | cells, "inference.csv")

    def ask(self, **cells: str) -> row.Row:
        return self.rows(**cells)[0]

    def test_a_static_batch_is_a_plan(self):
        found = self.ask()
        self.assertEqual((found.kind, found.family, found.measured), (row.STATIC, "static.vllm_v0", 0.5))
        asked = {name: found.question[name] for name in ("gpu", "gpus", "layout", "job", "quantity")}
        self.assertEqual(asked, {"gpu": "a100", "gpus": 2, "layout": "layout { tensor: 2 pipeline: 1 }", "quantity": "e2e",
                                 "job": "batch { sequences: 4 prompt_tokens: 100 output_tokens: 20 }"})

    def test_what_is_compared_is_what_the_row_states(self):
        self.assertEqual(self.ask(phase="prefill", ttft_ms="30").question["quantity"], "ttft")
        found = self.ask(e2e_ms="", tpot_ms="25")
        self.assertEqual((found.question["quantity"], found.measured), ("tpot", 0.025))
        found = self.ask(e2e_ms="", out_tok_s="160")  # 4 x 20 tokens
        self.assertEqual((found.question["quantity"], found.measured), ("e2e", 0.5))

    def test_a_closed_loop_is_a_service(self):
        found = self.rows(mode="agg", concurrency="64", tpot_ms="20", ttft_ms="300", out_tok_s_per_gpu="500", framework="sglang 0.5")
        self.assertEqual([(each.family, each.measured) for each in found],
                         [("serving_tpot.sglang", 0.02), ("serving_ttft.sglang", 0.3), ("serving_throughput.sglang", 0.002)])
        self.assertEqual({each.question["job"] for each in found},
                         {'serve { traffic { concurrency: 64 requests: 640 prompt { tokens: 100 } output { tokens: 20 } } engine { name: "sglang" } }'})

    def test_settings_are_what_the_source_runs(self):
        asked = {"mode": "agg", "concurrency": "8", "tpot_ms": "20"}
        self.assertIn('name: "vllm" asynchronous: false', self.ask(framework="vllm 0.12.0", **asked).question["job"])
        self.assertNotIn("asynchronous", self.ask(framework="vllm 0.18.0", **asked).question["job"])
        drawn = self.ask(framework="trtllm", traffic="source_file=2026-04-06.csv; model=Llama-3.1-70B", precision="fp8", **asked).question
        self.assertIn("prompt { tokens: 100 least: 0.8 }", drawn["job"])
        self.assertIn("max_tokens_per_pass: 8192", drawn["job"])
        self.assertIn("kv_dtype: fp8", drawn["model"])
        self.assertIn("static_scales: true", drawn["model"])

    def test_all_at_once(self):
        asked = {"mode": "offline-max-throughput", "framework": "TensorRT-LLM 1.0", "out_tok_s_per_gpu": "100"}
        self.assertIn("concurrency: 1500 requests: 1500", self.ask(isl="1000", osl="2000", **asked).question["job"])
        self.assertIn("no concurrency", self.ask(isl="999", osl="2000", **asked).reason)

    def test_experts_apart_or_cut(self):
        mixed = {"experts": "8", "topk": "2", "moe_ffn": "256", "mode": "agg", "concurrency": "8", "tpot_ms": "20", "framework": "vllm 0.18"}
        self.assertEqual(self.ask(ep="2", moe_tp="1", **mixed).question["layout"], "layout { tensor: 2 pipeline: 1 expert_tensor: 1 }")
        self.assertEqual(self.ask(ep="1", moe_tp="2", **mixed).question["layout"], "layout { tensor: 2 pipeline: 1 }")
        self.assertEqual(self.ask(tp="1", attn_dp="2", ep="2", moe_tp="1", **mixed).question["layout"],
                         "layout { pipeline: 1 dense_data: 2 expert: 2 }")
        self.assertIn("cut and apart", self.ask(tp="4", n_gpus="4", ep="2", moe_tp="2", **mixed).reason)

    def test_what_cannot_be_asked_says_why(self):
        for cells, reason in (({"mode": "online ShareGPT"}, "lengths"), ({"mode": "disagg"}, "apart"), ({"attn": "MLA"}, "MLA"),
                              ({"attn_dp": "2"}, "disagree"), ({"n_gpus": "4"}, "not stated whole"), ({"precision": "fp2"}, "type fp2"),
                              ({"mode": "agg", "concurrency": "4"}, "no scheduler"), ({"mode": "agg", "framework": "vllm"}, "no concurrency"),
                              ({"e2e_ms": ""}, "no time"), ({"batch": ""}, "no batch"), ({"hw": "Abacus"}, "not in the catalogue")):
            self.assertIn(reason, self.ask(**cells).reason, cells)

    def test_training_is_counted(self):
        with tempfile.TemporaryDirectory() as name:
            with open(pathlib.Path(name) / "training.csv", "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([["id", "source", "hw"], ["x", "a/b", "H100-SXM-80"]])
            found = services.questions(pathlib.Path(name))
        self.assertEqual([each.reason for each in found if each.file == "training.csv"], ["no training"])

    def test_offered_rates_are_asked_with_replicas(self):
        found = services.offered_rows({"Llama-2-70B": MODEL | {"model": "Llama-2-70B"}})
        self.assertEqual({each.kind for each in found}, {row.SERVING})
        self.assertAlmostEqual(found[0].measured, 0.1233)
        self.assertAlmostEqual(found[1].measured, 0.246)
        self.assertIn('traffic { rate: "364/s"', found[0].question["job"])
        self.assertTrue(found[0].question["job"].endswith("replicas: 8 }"))
        self.assertEqual((found[0].question["gpus"], found[0].question["layout"]), (8, "layout { tensor: 1 pipeline: 1 }"))


if __name__ == "__main__":
    unittest.main()
