"""Makes a randomly initialised chat model of about 200,000 weights in OUT, for tests of mechanics.

    python make_tiny_model.py OUT [--seed N]

The folder is a whole model: config, weights, a byte-level tokenizer and a chat template. It knows nothing and, by
LoRA, learns next to nothing; the same seed gives the same weights.
"""

from __future__ import annotations

import argparse
import os

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LINES = [
    "where is my parcel, it should have been here on monday",
    "i want to send the shoes back and get another size",
    "system user assistant delivery return payment account fault product out-of-scope",
    "Answer with one label only. Choose the label that fits the message of the customer.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", help="the folder to make")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random weights")
    arguments = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
    make(arguments.out, arguments.seed)


def make(out: str, seed: int = 1) -> None:
    """Writes the model to a folder, over what is there."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def make_tokenizer():
    """A byte-level BPE of a few hundred tokens with the chat markers as special tokens."""
    import tokenizers
    import transformers

    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|im_start|>", "<|im_end|>", "<|pad|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(LINES, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|pad|>", model_max_length=1024
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


if __name__ == "__main__":
    main()
