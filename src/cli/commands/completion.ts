import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { show } from "../../core/parse.ts"
import type { Host } from "../host.ts"

export function register(command: Command, host: Host): void {
  const shells = Object.keys(scripts)
  command
    .argument("<shell>", shells.join(", "))
    .addHelpText(
      "after",
      '\nExamples:\n  eval "$(tuneloop completion bash)"       in ~/.bashrc\n' +
        '  eval "$(tuneloop completion zsh)"        in ~/.zshrc, after compinit\n' +
        "  tuneloop completion fish | source        in config.fish",
    )
    .action((shell: string) => {
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
      if (script === undefined)
        throw new UsageError(`got the shell ${show(shell)}; allowed: ${shells.join(", ")}`, "Name one of them.")
      const text = script(pathsOf(command.parent as Command))
      host.print({ shell, script: text }, text)
    })
}

/** What may follow the words of a command. */
interface CommandPath {
  /** `seed import`; empty for `tuneloop` itself. */
  readonly path: string
  readonly summary: string
  readonly parts: readonly string[]
  readonly options: readonly string[]
  /** The folder of the files whose names are its first argument, where that is a task or a job. */
  readonly names: "specs" | "jobs" | undefined
}

function pathsOf(program: Command): CommandPath[] {
  const shared = program.options.flatMap(({ long }) => long ?? [])
  const pathOf = (command: Command, path: string): CommandPath[] => {
    const [first] = command.registeredArguments.map((argument) => argument.name())
    const own = command.options.flatMap(({ long }) => long ?? [])
    return [
      {
        path,
        summary: command.description(),
        parts: command.commands.map((part) => part.name()),
        options: [...new Set([...own, "--help", ...shared])],
        names: first === "task" ? "specs" : first === "job" ? "jobs" : undefined,
      },
      ...command.commands.flatMap((part) => pathOf(part, `${path} ${part.name()}`.trim())),
    ]
  }
  return pathOf(program, "")
}

const scripts: Readonly<Record<string, (paths: readonly CommandPath[]) => string>> = { bash, zsh, fish }

function bash(paths: readonly CommandPath[]): string {
  return `_tuneloop() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" folder="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${pathCases(paths)}
  done
${wordCases(paths)}
  [[ -n "$folder" && -d "$folder" ]] && words+=" $(cd "$folder" && printf '%s\\n' *.yaml | sed 's/\\.yaml$//')"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _tuneloop tuneloop`
}

function zsh(paths: readonly CommandPath[]): string {
  return `_tuneloop() {
  local path="" folder="" word
  local -a found
  local words_before=("\${words[@]:1:$((CURRENT - 2))}") words=""
  for word in "\${words_before[@]}"; do
${pathCases(paths)}
  done
${wordCases(paths)}
  found=(\${=words})
  [[ -n "$folder" && -d "$folder" ]] && found+=("$folder"/*.yaml(N:t:r))
  compadd -a found
  _files
}
compdef _tuneloop tuneloop`
}

/** Goes on to the path of the command that the words so far name. */
function pathCases(paths: readonly CommandPath[]): string {
  const known = paths.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]))
  return `    case "\${path:+$path }$word" in
      ${known.join("|")}) path="\${path:+$path }$word" ;;
    esac`
}

function wordCases(paths: readonly CommandPath[]): string {
  const cases = paths.map(({ path, parts, options, names }) => {
    const folder = names === undefined ? "" : ` folder=${names}`
    return `    "${path}") words="${[...parts, ...options].join(" ")}"${folder} ;;`
  })
  return `  case "$path" in\n${cases.join("\n")}\n  esac`
}

function fish(paths: readonly CommandPath[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`
  const lines = paths.flatMap(({ path, parts, options, names }) => {
    const [first, second] = path.split(" ")
    const isHere =
      path === ""
        ? "__fish_use_subcommand"
        : `__fish_seen_subcommand_from ${second ?? first}` +
          (second === undefined ? "" : `; and __fish_seen_subcommand_from ${first}`)
    const at = `complete -c tuneloop -n ${quoted(isHere)}`
    const isOpen =
      parts.length > 0 && path !== "" ? `${isHere}; and not __fish_seen_subcommand_from ${parts.join(" ")}` : isHere
    return [
      ...parts.map((part) => {
        const of = paths.find((each) => each.path === `${path} ${part}`.trim())?.summary ?? ""
        return `complete -c tuneloop -f -n ${quoted(isOpen)} -a ${part} -d ${quoted(of)}`
      }),
      ...(path === "" ? [] : options.map((option) => `${at} -l ${option.slice(2)}`)),
      ...(names === undefined
        ? []
        : [`${at} -a '(path change-extension "" (path basename ${names}/*.yaml 2>/dev/null))'`]),
    ]
  })
  return lines.join("\n")
}
