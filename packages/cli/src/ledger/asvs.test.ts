/** The table of OWASP ASVS: whole, nothing in it is claimed without its test or its page, and the page is the data. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'
import { beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../tree.ts'
import { ASVS_DATA, ASVS_PAGE, type Asvs, type AsvsWorld, parseAsvs, problemsOf, renderAsvs } from './asvs.ts'
import { asvsNumbers } from './asvs-numbers.ts'
import { parseRequirements } from './requirements.ts'
import { namedByTests } from './titles.ts'

describe('in this tree', () => {
  let data: Asvs
  let world: AsvsWorld
  beforeAll(async () => {
    data = parseAsvs(await readFile(join(ROOT, ASVS_DATA), 'utf8'))
    const { requirements } = parseRequirements(await readFile(join(ROOT, 'docs/requirements.yaml'), 'utf8'))
    world = {
      numbers: asvsNumbers(),
      requirements,
      namings: await namedByTests(ROOT),
      read: (path) => readIfThere(join(ROOT, path)),
    }
  })
  it('every requirement is there once, what is proved has its tests, what is written has its page', async () => {
    expect(world.numbers.size).toBe(193)
    expect(await problemsOf(data, world)).toEqual([])
  })
  it('the page is made from the data', async () => {
    expect(await readFile(join(ROOT, ASVS_PAGE), 'utf8')).toBe(renderAsvs(data))
  })
  it('nothing of level 1 is left open without its reason being known', () => {
    const open = Object.entries(data.requirements).filter(([, it]) => it.level === 1 && 'open' in it)
    expect(open.map(([number]) => number)).toEqual(KNOWN_OPEN)
  })
})
/** Of level 1. Whoever closes one takes it away here. */
const KNOWN_OPEN: string[] = []

describe('what is wrong is said', () => {
  const { requirements } = parseRequirements(
    'SES-1:\n  what: x\n  clauses:\n    launch: It starts.\n    sleep: { open: It sleeps. }\n    dream: Nobody tests it.\n',
  )
  const world: AsvsWorld = {
    numbers: asvsNumbers({ '6.1': '1 2' }),
    requirements,
    namings: [{ clause: 'SES-1.launch', file: 'a.test.ts', line: 1 }],
    read: async (path) =>
      path === 'a.md' ? '# One\n## Two words\n' : path === 'a.test.ts' ? "it('really starts')" : null,
  }
  const words = 'ten letters or more'
  const good = { level: 1, words, proved: ['SES-1.launch'], tests: ['a.test.ts: really starts'] }
  const two = { level: 2, words, documented: 'a.md#Two words' }
  const of = (requirementsOf: Asvs['requirements']) =>
    problemsOf({ chapters: { 6: 'x' }, requirements: requirementsOf }, world)
  it('nothing, when nothing is', async () => expect(await of({ '6.1.1': good, '6.1.2': two })).toEqual([]))
  it.each<[string, Asvs['requirements'], string]>([
    ['one left out', { '6.1.1': good }, '6.1.2 is not looked at'],
    ['one that is not there', { '6.1.1': good, '6.1.2': two, '6.1.3': two }, 'not in the order'],
    ['another order', { '6.1.2': two, '6.1.1': good }, 'not in the order'],
    ['another level', { '6.1.1': { ...good, level: 3 }, '6.1.2': two }, '6.1.1: is of level 1'],
    [
      'no such clause',
      { '6.1.1': { ...good, proved: ['SES-1.fly'] }, '6.1.2': two },
      'SES-1.fly is not claimed',
    ],
    [
      'an open clause',
      { '6.1.1': { ...good, proved: ['SES-1.sleep'] }, '6.1.2': two },
      'SES-1.sleep is not claimed',
    ],
    [
      'a clause without a test',
      { '6.1.1': { ...good, proved: ['SES-1.dream'] }, '6.1.2': two },
      'no test names SES-1.dream',
    ],
    [
      'no such test',
      { '6.1.1': { ...good, tests: ['a.test.ts: flies'] }, '6.1.2': two },
      'there is no test a.test.ts: flies',
    ],
    [
      'no such heading',
      { '6.1.1': good, '6.1.2': { ...two, documented: 'a.md#Two' } },
      'there is no a.md#Two',
    ],
    ['no such page', { '6.1.1': good, '6.1.2': { ...two, documented: 'b.md#One' } }, 'there is no b.md#One'],
  ])('%s', async (_name, given, problem) => {
    expect((await of(given)).join('; ')).toContain(problem)
  })
  it.each([
    ['two states', 'proved: [SES-1.launch]\n    open: a good long reason'],
    ['no state', 'note: a good long reason'],
    ['an unknown key', 'open: a good long reason\n    why: not'],
  ])('%s', (_name, state) => {
    const text = `chapters: { "6": x }\nrequirements:\n  6.1.1:\n    level: 1\n    words: ${words}\n    ${state}\n`
    expect(() => parseAsvs(text)).toThrow()
  })
  it('a number twice', () => {
    const one = `  6.1.1: { level: 1, words: ${words}, open: a good long reason }\n`
    expect(() => parseAsvs(`chapters: { "6": x }\nrequirements:\n${one}${one}`)).toThrow(/unique/)
  })
})
