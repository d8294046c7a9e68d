/** docs/security/asvs.yaml: of each requirement of OWASP ASVS 5.0, what proves it, where it is written, or why not. Read, judged, shown. */

import { parse } from 'yaml'
import type { Requirement } from './requirements.ts'
import type { Naming } from './titles.ts'

export type AsvsState = 'proved' | 'documented' | 'not-applicable' | 'open'
interface Common {
  level: number
  words: string
  note?: string
}
/** Exactly one of these says how it stands. */
export type AsvsEntry = Common &
  (
    | {
        /** Clauses of docs/requirements.yaml. */
        proved: string[]
        /** `path/of/a.test.ts: words of its title`, where a clause says less than the requirement. */
        tests?: string[]
      }
    /** `docs/…md#Heading` */
    | { documented: string }
    | { 'not-applicable': string }
    | { open: string }
  )
export interface Asvs {
  chapters: Record<string, string>
  requirements: Record<string, AsvsEntry>
}

export const ASVS_DATA = 'docs/security/asvs.yaml'
export const ASVS_PAGE = 'docs/security/asvs.md'
const STATES: AsvsState[] = ['proved', 'documented', 'not-applicable', 'open']

const isText = (value: unknown) => typeof value === 'string' && value.trim().length >= 10
const isTexts = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((it) => typeof it === 'string' && it !== '')
const FIELDS: Record<string, (value: unknown) => boolean> = {
  level: (value) => value === 1 || value === 2 || value === 3,
  words: isText,
  note: isText,
  proved: isTexts,
  tests: isTexts,
  documented: isText,
  'not-applicable': isText,
  open: isText,
}

function assertEntry(number: string, value: unknown): asserts value is AsvsEntry {
  const fields = Object.entries((value ?? {}) as Record<string, unknown>)
  for (const [name, given] of fields)
    if (!FIELDS[name]?.(given)) throw new Error(`${number}: ${name} is not known, or not as it should be`)
  const names = new Set(fields.map(([name]) => name))
  if (!names.has('level') || !names.has('words')) throw new Error(`${number}: says no level or no words`)
  if (STATES.filter((state) => names.has(state)).length !== 1)
    throw new Error(`${number}: says not one state`)
  if (names.has('tests') && !names.has('proved')) throw new Error(`${number}: tests prove no clause`)
}

/** Throws on a key that stands twice, or is not known. */
export function parseAsvs(text: string): Asvs {
  const data = parse(text, { maxAliasCount: 0 }) as Partial<Asvs> | null
  if (!data?.chapters || !data.requirements) throw new Error('it lists chapters and requirements')
  const { chapters, requirements } = data
  for (const [number, value] of Object.entries(requirements)) assertEntry(number, value)
  return { chapters, requirements }
}

export function stateOf(it: AsvsEntry): AsvsState {
  if ('proved' in it) return 'proved'
  if ('documented' in it) return 'documented'
  return 'open' in it ? 'open' : 'not-applicable'
}

export interface AsvsWorld {
  numbers: ReadonlyMap<string, number>
  requirements: readonly Requirement[]
  namings: readonly Naming[]
  /** A file of the tree, null when there is none. */
  read(path: string): Promise<string | null>
}

export async function problemsOf(data: Asvs, world: AsvsWorld): Promise<string[]> {
  const { numbers, requirements, namings, read } = world
  const problems: string[] = []
  const given = Object.keys(data.requirements)
  for (const number of numbers.keys())
    if (!given.includes(number)) problems.push(`${number} is not looked at`)
  if (given.join() !== [...numbers.keys()].filter((it) => given.includes(it)).join())
    problems.push('the numbers are not in the order of the standard, or one is not in it')
  const clauses = new Map(requirements.flatMap((it) => it.clauses.map((one) => [one.id, one.open] as const)))
  for (const [number, it] of Object.entries(data.requirements)) {
    const say = (problem: string) => problems.push(`${number}: ${problem}`)
    if (it.level !== numbers.get(number)) say(`is of level ${numbers.get(number)}`)
    if (!((number.split('.')[0] ?? '') in data.chapters)) say('is of a chapter without a name')
    if ('documented' in it) {
      const [path = '', heading = ''] = it.documented.split('#')
      const lines = (await read(path))?.split('\n') ?? []
      if (!lines.some((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading))
        say(`there is no ${it.documented}`)
    }
    if (!('proved' in it)) continue
    for (const clause of it.proved) {
      if (clauses.get(clause) !== false) say(`${clause} is not claimed in docs/requirements.yaml`)
      if (!namings.some((one) => one.clause === clause)) say(`no test names ${clause}`)
    }
    for (const test of it.tests ?? []) {
      const [, path = '', title = ''] = /^(\S+): (.+)$/.exec(test) ?? []
      if (!(await read(path))?.includes(title)) say(`there is no test ${test}`)
    }
  }
  return problems
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .replaceAll(' ', '-')

function how(it: AsvsEntry): string {
  const note = it.note ? ` ${it.note}` : ''
  if ('proved' in it) {
    const tests = (it.tests ?? []).map((test) => `; \`${test}\``).join('')
    return `proved: [${it.proved.join(', ')}]${tests}${note && `.${note}`}`
  }
  if ('documented' in it) {
    const [path = '', heading = ''] = it.documented.split('#')
    return `written: [${heading}](../../${path}#${anchorOf(heading)})${note && `.${note}`}`
  }
  if ('open' in it) return `**open**: ${it.open}${note}`
  return `does not apply: ${it['not-applicable']}${note}`
}

export function renderAsvs(data: Asvs): string {
  const all = Object.entries(data.requirements)
  const count = (level: number, state: AsvsState) =>
    all.filter(([, it]) => it.level === level && stateOf(it) === state).length
  const lines = [
    '# Kalnet against OWASP ASVS 5.0',
    '',
    'Made from `asvs.yaml` beside it by `node packages/cli/src/ledger/write-asvs.ts`; a test holds both together. The words are ours; the',
    "requirements are the standard's (chapters 6 to 11, and of 3 and 4 what exists here). *Proved* names clauses of the",
    '[ledger](../requirements.yaml), each carried by tests that `kalnet audit` lists with their last result.',
    '',
    `| level | ${STATES.join(' | ')} |`,
    '| --- | --- | --- | --- | --- |',
    ...[1, 2, 3].map((level) => `| ${level} | ${STATES.map((state) => count(level, state)).join(' | ')} |`),
  ]
  for (const [chapter, name] of Object.entries(data.chapters)) {
    lines.push(
      '',
      `## ${chapter} ${name}`,
      '| number | level | in short | how it stands |',
      '| --- | --- | --- | --- |',
    )
    for (const [number, it] of all)
      if (number.startsWith(`${chapter}.`))
        lines.push(`| ${number} | ${it.level} | ${cell(it.words)} | ${cell(how(it))} |`)
  }
  return `${lines.join('\n')}\n`
}
