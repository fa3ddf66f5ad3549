"""One peer on one chat JSONL file: reads it, removes near-duplicates the peer's own way, writes the numbers of the removed rows.

Usage: near-duplicate-peers.py <peer> <file.jsonl> <long|middle|short> <threshold> <workers> <removed.json> <scratch folder>
Prints one JSON object: seconds and processor seconds (of child processes as well) from the first byte read to the last decision, the peak memory of
this process, the version of the package, and a note where the peer runs otherwise than its users would run it.
Imports come before the clock starts, and what a peer needs that is not its work: files with the bare texts, the model of semhash.
Word 5-grams for long texts, character 4-grams for short ones where the peer has them, 128 permutations or what the project documents.
"""

import json
import os
import re
import resource
import struct
import sys
import time
from importlib.metadata import version
from pathlib import Path


def texts_of(path):
    for line in open(path, encoding="utf-8"):
        yield json.loads(line)["messages"][1]["content"]


def shingles_of(text, kind):
    folded = " ".join(re.findall(r"\w+", text.lower()))
    if kind == "short":
        return {folded[i : i + 4] for i in range(max(1, len(folded) - 3))}
    words = folded.split(" ")
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def datasketch(run):
    from datasketch import MinHash, MinHashLSH

    def work():
        index = MinHashLSH(threshold=run.threshold, num_perm=128)
        removed = []
        for row, text in enumerate(texts_of(run.path)):
            sketch = MinHash(num_perm=128)
            sketch.update_batch([shingle.encode() for shingle in shingles_of(text, run.kind)])
            if any(index.query(sketch)):
                removed.append(row)
            else:
                index.insert(row, sketch, check_duplication=False)
        return removed

    return work


def rensa(run):
    from rensa import RMinHash, RMinHashLSH

    def work():
        index = RMinHashLSH(threshold=run.threshold, num_perm=128, num_bands=16)
        sketches = []
        removed = []
        for row, text in enumerate(texts_of(run.path)):
            sketch = RMinHash(num_perm=128, seed=42)
            sketch.update(list(shingles_of(text, run.kind)))
            sketches.append(sketch)
            if any(sketches[other].jaccard(sketch) >= run.threshold for other in index.query(sketch)):
                removed.append(row)
            else:
                index.insert(row, sketch)
        return removed

    return work


def rensa_rho(run):
    from rensa import RMinHash, RMinHashLSH

    if not hasattr(RMinHash, "digest_matrix_from_token_sets_rho"):
        raise RuntimeError("this rensa has no rho path")

    def work():
        token_sets = [list(shingles_of(text, run.kind)) for text in texts_of(run.path)]
        matrix = RMinHash.digest_matrix_from_token_sets_rho(token_sets, 128, 42)
        index = RMinHashLSH(threshold=run.threshold, num_perm=128, num_bands=16)
        return [
            row for row, is_duplicate in enumerate(index.query_duplicate_flags_matrix_one_shot(matrix)) if is_duplicate
        ]

    return work


def text_dedup(run):
    """Its command, `python -m text_dedup.minhash`, on a local JSONL file, in as many processes as there are cores."""
    from text_dedup import minhash

    write_bare(run.path, [run.scratch / "texts.jsonl"])
    words = ["--path", "json", "--data_files", str(run.scratch / "texts.jsonl"), "--split", "train", "--column", "text"]
    words += [
        "--output",
        str(run.scratch / "kept"),
        "--cache_dir",
        str(run.scratch / "cache"),
        "--num_proc",
        str(run.workers),
        "--hash_func",
        "xxh3",
    ]
    words += [
        "--ngram",
        "5" if run.kind != "short" else "2",
        "--min_length",
        "1",
        "--num_perm",
        "128",
        "--threshold",
        str(run.threshold),
    ]
    if run.kind == "short":
        run.note = "pairs of words, as it has no n-grams of characters"

    def work():
        minhash.main(words, standalone_mode=False)
        return lambda: all_but_first((row, minhash.uf.find(row)) for row in list(minhash.uf.parent))

    return work


def datatrove(run):
    """Its four stages over two files, in as many processes as there are cores: signatures, buckets, clusters, filter."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.logging import logger

    logger.remove()
    config = MinhashConfig(n_grams=5 if run.kind != "short" else 2)
    run.note = "14 buckets of 8 hashes, which it documents; its tokenizer takes most of the time"
    if run.kind == "short":
        run.note += "; pairs of words, as it has no n-grams of characters"
    texts = run.scratch / "texts"
    texts.mkdir()
    # A task takes whole files: file i has every row of the i-th part.
    count = write_bare(run.path, [texts / f"{part:05d}.jsonl" for part in range(run.workers)])
    place = {name: str(run.scratch / name) for name in ("signatures", "buckets", "remove", "kept", "logs")}

    def stage(name, pipeline, tasks):
        executor = LocalPipelineExecutor(
            pipeline,
            tasks=tasks,
            workers=min(tasks, run.workers),
            logging_dir=f"{place['logs']}/{name}",
            start_method="fork",
        )
        executor.run()

    def work():
        reader = JsonlReader(str(texts), id_key="row")
        stage("signatures", [reader, MinhashDedupSignature(place["signatures"], config=config)], run.workers)
        stage(
            "buckets", [MinhashDedupBuckets(place["signatures"], place["buckets"], config=config)], config.num_buckets
        )
        stage(
            "clusters", [MinhashDedupCluster(place["buckets"], place["remove"], config=config, save_cluster_id=True)], 1
        )
        stage(
            "filter",
            [reader, MinhashDedupFilter(place["remove"]), JsonlWriter(place["kept"], compression=None)],
            run.workers,
        )
        return removed

    def removed():
        share = -(-count // run.workers)
        files = Path(place["remove"]).glob("*.clusters")
        return all_but_first(
            (int(file.stem) * share + line, cluster)
            for file in files
            for line, cluster in struct.iter_unpack("<II", file.read_bytes())
        )

    return work


def semhash(run):
    from semhash import SemHash

    model = made_model(run.path)
    run.note = f"a made static model of {model.dim} random dimensions a word, as its own cannot be downloaded: cosine 0.9, its default, is no Jaccard similarity"

    def work():
        records = [{"text": text, "row": str(row)} for row, text in enumerate(texts_of(run.path))]
        index = SemHash.from_records(records=records, columns=["text"], model=model)
        return [int(duplicate.record["row"]) for duplicate in index.self_deduplicate().filtered]

    return work


def made_model(path):
    """A model2vec model as large as semhash's own (256 dimensions, at most 29,528 words), made from the texts: a random vector for each word, shorter
    for frequent words (SIF)."""
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts_of(path),
        trainers.WordPieceTrainer(vocab_size=29528, special_tokens=["[PAD]", "[UNK]"], show_progress=False),
    )
    counts = np.zeros(tokenizer.get_vocab_size())
    for text in texts_of(path):
        np.add.at(counts, tokenizer.encode(text).ids, 1)
    weights = 1e-3 / (1e-3 + counts / counts.sum())
    vectors = np.random.default_rng(42).standard_normal((len(counts), 256)) * weights[:, None]
    return StaticModel(vectors.astype(np.float32), tokenizer, normalize=True)


def write_bare(path, files):
    """Writes row number and text, the first rows into the first file; the answer is how many rows there are."""
    texts = list(texts_of(path))
    share = -(-len(texts) // len(files))
    for part, file in enumerate(files):
        with open(file, "w", encoding="utf-8") as out:
            for row in range(part * share, min((part + 1) * share, len(texts))):
                out.write(json.dumps({"row": row, "text": texts[row]}) + "\n")
    return len(texts)


def all_but_first(clusters):
    """Of each cluster the first row counts as kept, which is what all are compared with: which one a union-find keeps is chance."""
    firsts, removed = set(), []
    for row, cluster in sorted(clusters):
        if cluster in firsts:
            removed.append(row)
        firsts.add(cluster)
    return removed


def processor_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Run:
    def __init__(self, path, kind, threshold, workers, scratch):
        self.path, self.kind, self.threshold, self.workers, self.scratch = (
            path,
            kind,
            float(threshold),
            int(workers),
            Path(scratch),
        )
        self.note = None


def main():
    peer, path, kind, threshold, workers, output, scratch = sys.argv[1:8]
    run = Run(path, kind, threshold, workers, scratch)
    peers = {
        "datasketch": datasketch,
        "rensa": rensa,
        "rensa-rho": rensa_rho,
        "text-dedup": text_dedup,
        "datatrove": datatrove,
        "semhash": semhash,
    }
    work = peers[peer](run)
    start, startCpu = time.perf_counter(), processor_seconds()
    removed = work()
    seconds, cpuSeconds = time.perf_counter() - start, processor_seconds() - startCpu
    peakBytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open(output, "w") as file:
        json.dump(removed() if callable(removed) else removed, file)
    package = peer.removesuffix("-rho")
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpuSeconds": cpuSeconds,
                "peakBytes": peakBytes,
                "version": version(package),
                "note": run.note,
            }
        )
    )


if __name__ == "__main__":
    main()
