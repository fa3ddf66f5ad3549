"""One peer on one chat JSONL file: reads it, removes near-duplicates the peer's own way, writes the numbers of the removed rows.

Usage: near-duplicate-peers.py <peer> <file.jsonl> <long|short> <threshold> <removed.json>
Prints one JSON object: seconds from the first byte read to the last number written, and the peak memory of the process.
Word 5-grams for long texts, character 4-grams for short ones, 128 permutations, one process, in memory, as each project documents its use.
"""

import json
import re
import resource
import sys
import time


def texts_of(path):
    for line in open(path, encoding="utf-8"):
        yield json.loads(line)["messages"][1]["content"]


def shingles_of(text, kind):
    folded = " ".join(re.findall(r"\w+", text.lower()))
    if kind == "short":
        return {folded[i : i + 4] for i in range(max(1, len(folded) - 3))}
    words = folded.split(" ")
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def datasketch(path, kind, threshold):
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=128)
    for row, text in enumerate(texts_of(path)):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([shingle.encode() for shingle in shingles_of(text, kind)])
        # Bands and then the estimate, which is the most that datasketch can check.
        if any(index.query(sketch)):
            yield row
        else:
            index.insert(row, sketch, check_duplication=False)


def rensa(path, kind, threshold):
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=16)
    sketches = []
    for row, text in enumerate(texts_of(path)):
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update(list(shingles_of(text, kind)))
        sketches.append(sketch)
        if any(sketches[other].jaccard(sketch) >= threshold for other in index.query(sketch)):
            yield row
        else:
            index.insert(row, sketch)


def rensa_rho(path, kind, threshold):
    from rensa import RMinHash, RMinHashDeduplicator

    if not hasattr(RMinHash, "digest_matrix_from_token_sets_rho"):
        raise RuntimeError("this rensa has no rho path")
    from rensa import RMinHashLSH

    token_sets = [list(shingles_of(text, kind)) for text in texts_of(path)]
    matrix = RMinHash.digest_matrix_from_token_sets_rho(token_sets, 128, 42)
    index = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=16)
    for row, is_duplicate in enumerate(index.query_duplicate_flags_matrix_one_shot(matrix)):
        if is_duplicate:
            yield row


def text_dedup(path, kind, threshold):
    # The package is a set of scripts over Hugging Face datasets: its own sketch and band functions are used, with a dictionary for its clusters.
    import numpy as np
    from text_dedup.utils.hashfunc import xxh3_32hash
    from text_dedup.minhash import embed_func, optimal_param

    bands, rows = optimal_param(threshold, 128)
    ranges = [(i * rows, (i + 1) * rows) for i in range(bands)]
    generator = np.random.RandomState(42)
    prime = (1 << 61) - 1
    permutations = (
        generator.randint(1, prime, size=(128,), dtype=np.uint64),
        generator.randint(0, prime, size=(128,), dtype=np.uint64),
    )
    seen = [set() for _ in range(bands)]
    for row, text in enumerate(texts_of(path)):
        keys = embed_func(
            content=text, idx=row, num_perm=128, ngram_size=5, min_length=1, hashranges=ranges,
            permutations=permutations, hash_func=xxh3_32hash, dtype=np.uint64, max_hash=np.uint64((1 << 32) - 1),
            modulo_prime=np.uint64(prime),
        )["__signatures__"]
        if any(key in table for key, table in zip(keys, seen)):
            yield row
        for key, table in zip(keys, seen):
            table.add(key)


def datatrove(path, kind, threshold):
    # Its signature stage with its own hashes; the union-find over files is left out, so that its time is a lower bound.
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n_grams=5)
    stage = MinhashDedupSignature(output_folder="/tmp", config=config, language="en")
    seen = [set() for _ in range(config.num_buckets)]
    for row, text in enumerate(texts_of(path)):
        shingles = stage.get_shingles(text)
        if shingles.size == 0:
            continue
        signature = stage.get_signature(shingles)
        keys = [tuple(bucket) for bucket in signature]
        if any(key in table for key, table in zip(keys, seen)):
            yield row
        for key, table in zip(keys, seen):
            table.add(key)


def semhash(path, kind, threshold):
    from semhash import SemHash

    records = [{"text": text, "row": str(row)} for row, text in enumerate(texts_of(path))]
    index = SemHash.from_records(records=records, columns=["text"])
    for duplicate in index.self_deduplicate().filtered:
        yield int(duplicate.record["row"])


def main():
    peer, path, kind, threshold, output = sys.argv[1:6]
    run = {
        "datasketch": datasketch,
        "rensa": rensa,
        "rensa-rho": rensa_rho,
        "text-dedup": text_dedup,
        "datatrove": datatrove,
        "semhash": semhash,
    }[peer]
    start = time.perf_counter()
    removed = list(run(path, kind, float(threshold)))
    with open(output, "w") as file:
        json.dump(removed, file)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
