/**
 * The settings of a job that was not made here, `n_epochs 3` each, by the service's own names: what it was asked for
 * is nobody's plan, and is translated into no other words. Each name once, the outermost value first.
 */
export function adoptedSettings(said: Readonly<Record<string, unknown>>): string[] {
  const found = new Map<string, string>()
  const waiting: unknown[] = [said]
  for (let value = waiting.shift(); value !== undefined; value = waiting.shift())
    for (const [name, member] of Object.entries(value as object)) {
      if (typeof member === "object" && member !== null && !Array.isArray(member)) {
        if (nested.has(name)) waiting.push(member)
      } else if (settings.has(name) && !found.has(name) && member !== null) found.set(name, `${name} ${textOf(member)}`)
    }
  return [...found.values()]
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(" ") : String(value)
}

/** Where services keep them; OpenAI's `method` and Together's `training_method` and `training_type`. */
const nested = new Set([
  ...["hyperparameters", "method", "supervised", "dpo", "training_method", "training_type"],
  ...["lr_scheduler", "lr_scheduler_args"],
])

/** OpenAI's names, Nebius' and Together's. */
const settings = new Set([
  ...["n_epochs", "batch_size", "learning_rate", "learning_rate_multiplier", "beta", "dpo_beta", "seed", "suffix"],
  ...["lora", "lora_r", "lora_alpha", "lora_dropout", "lora_trainable_modules", "lr_scheduler_type", "num_cycles"],
  ...["min_lr_ratio", "warmup_ratio", "weight_decay", "max_grad_norm", "train_on_inputs", "packing", "context_length"],
  ...["max_seq_length", "n_evals", "n_checkpoints", "from_checkpoint", "gradient_accumulation_steps"],
])
