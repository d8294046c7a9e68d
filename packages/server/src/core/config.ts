/** Start-up settings: flags > environment > kalnet.yaml > default. What is not understood is refused, with line, column and the nearest key. */
import { type Config, config } from '@kalnet/contracts/config'
import { readIfThere } from '@kalnet/io/files'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { nearest } from './nearest.ts'

type Path = readonly (string | number)[]
type Leaf = { path: string[]; list: boolean }

/** Every setting, walked out of the schema: `listen.host`, `publicUrl`, … */
export function settings(schema: z.ZodType = config, path: string[] = []): Leaf[] {
  const bare = unwrap(schema)
  if (bare instanceof z.ZodObject)
    return Object.entries(bare.shape).flatMap(([key, of]) => settings(of as z.ZodType, [...path, key]))
  return [{ path, list: bare instanceof z.ZodArray }]
}

function unwrap(schema: z.ZodType): z.ZodType {
  let at = schema
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.def.innerType as z.ZodType
  return at
}

/** `publicUrl` → `KALNET_PUBLIC_URL`, `listen.host` → `KALNET_LISTEN_HOST`. */
export const variableFor = (path: Path) =>
  `KALNET_${path
    .map((word) => String(word).replace(/[A-Z]/g, (letter) => `_${letter}`))
    .join('_')
    .toUpperCase()}`

/** What programs that speak OpenTelemetry are told everywhere (opentelemetry.io/docs/specs/otel/protocol/exporter); ours stand above. */
const STANDARD: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'KALNET_TELEMETRY_OTLP_URL',
  OTEL_EXPORTER_OTLP_HEADERS: 'KALNET_TELEMETRY_OTLP_HEADERS',
}

/** Settings cannot be refused one by one: this carries every problem, each a line for people. */
export class ConfigError extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

interface Source {
  value: unknown
  /** Where a path of it was written, for people. */
  where(path: Path): string
}

function fromFile(file: string, text: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const first = document.errors[0]
  if (first) throw new ConfigError([`${at(first.pos[0])}: ${first.message}`])
  const value: unknown = document.toJS({ maxAliasCount: 20 }) ?? {}
  return {
    value,
    where(path) {
      // The key itself where there is one, else what contains it.
      for (let length = path.length; length > 0; length--) {
        const parent: unknown = document.getIn(path.slice(0, length - 1), true)
        const key = String(path[length - 1])
        const items =
          parent && typeof parent === 'object' && 'items' in parent
            ? (parent.items as { key?: { value?: unknown; range?: number[] } }[])
            : []
        const pair = items.find((item) => item.key?.value === key)
        if (pair?.key?.range) return at(pair.key.range[0] ?? 0)
      }
      return at(0)
    },
  }
}

const set = (target: Record<string, unknown>, path: readonly string[], value: unknown) => {
  let at = target
  for (const key of path.slice(0, -1)) {
    const inner = at[key]
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) at[key] = {}
    at = at[key] as Record<string, unknown>
  }
  at[path[path.length - 1] ?? ''] = value
}

/** Variables that stand for sections of the schema; other KALNET_ variables belong to somebody else (KALNET_HOME …). */
function fromEnvironment(
  env: NodeJS.ProcessEnv,
  leaves: Leaf[],
): { path: string[]; value: unknown; where: string }[] {
  const known = new Map(leaves.map((leaf) => [variableFor(leaf.path), leaf]))
  const sections = [
    ...new Set(
      leaves.filter((leaf) => leaf.path.length > 1).map((leaf) => `${variableFor(leaf.path.slice(0, 1))}_`),
    ),
  ]
  const found: { path: string[]; value: unknown; where: string }[] = []
  for (const [name, text] of Object.entries(env)) {
    const ours = STANDARD[name]
    // Set to nothing is not set, says their specification.
    if (ours && (!text || env[ours] !== undefined)) continue
    const leaf = known.get(ours ?? name)
    if (leaf && text !== undefined) {
      const value = leaf.list
        ? text
            .split(',')
            .map((word) => word.trim())
            .filter(Boolean)
        : text
      found.push({ path: leaf.path, value, where: name })
    } else if (!leaf && sections.some((section) => name.startsWith(section))) {
      const meant = nearest(name, [...known.keys()])
      throw new ConfigError([
        `environment: there is no setting ${name}.${meant ? ` Did you mean ${meant}?` : ''}`,
      ])
    }
  }
  return found
}

export interface ConfigSources {
  /** Path of kalnet.yaml; it need not exist. */
  file: string
  env: NodeJS.ProcessEnv
  /** By dotted path: `{ 'listen.port': '7401' }`. */
  flags?: Record<string, unknown>
}

/** Throws ConfigError with every problem found, each with where it was written. */
export async function loadConfig({ file, env, flags = {} }: ConfigSources): Promise<Config> {
  const leaves = settings()
  const text = await readIfThere(file)
  const source: Source = text === null ? { value: {}, where: () => file } : fromFile(file, text)
  if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value))
    throw new ConfigError([`${source.where([])}: expected settings, each "name: value"`])
  const merged = structuredClone(source.value) as Record<string, unknown>
  const overrides = new Map<string, string>()
  for (const { path, value, where } of fromEnvironment(env, leaves)) {
    set(merged, path, value)
    overrides.set(path.join('.'), where)
  }
  for (const [dotted, value] of Object.entries(flags)) {
    if (value === undefined) continue
    set(merged, dotted.split('.'), value)
    overrides.set(dotted, `--${dotted.split('.').pop()}`)
  }
  // `house:` is what lives in the database: `kalnet config apply` reads it, not the start-up.
  delete merged.house
  const result = config.safeParse(merged)
  if (result.success) return result.data
  throw new ConfigError(result.error.issues.flatMap((issue) => explain(issue, source, overrides, leaves)))
}

function explain(
  issue: z.core.$ZodIssue,
  source: Source,
  overrides: Map<string, string>,
  leaves: Leaf[],
): string[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
  const dotted = path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const siblings = [
      ...new Set(
        leaves
          .filter((leaf) => leaf.path.slice(0, path.length).join('.') === dotted)
          .map((leaf) => leaf.path[path.length] ?? ''),
      ),
    ]
    return issue.keys.map((key) => {
      const full = [...path, key]
      const meant = nearest(key, siblings)
      return `${source.where(full)}: there is no setting "${full.join('.')}".${meant ? ` Did you mean "${[...path, meant].join('.')}"?` : ''}`
    })
  }
  const where = overrides.get(dotted) ?? source.where(path)
  return [`${where}: ${dotted || 'settings'}: ${issue.message}`]
}
