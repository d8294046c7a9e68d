/** The kit of template authors at the command line, on a catalog of its own. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import { readCatalog } from '@kalnet/server/catalog/source'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli } from '../testing.ts'
import { ROOT } from '../tree.ts'
import { isDrawn } from './first-frame.ts'
import { noteProof } from './prove.ts'

let home = ''
let catalog = ''
const kit = (...args: string[]) => cli(home, 'templates', ...args, '--catalog', catalog)
const at = (...parts: string[]) => join(catalog, ...parts)

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kal-kit-'))
  catalog = join(home, 'catalog')
  await cp(join(ROOT, 'catalog'), catalog, { recursive: true })
})
afterEach(() => rm(home, { recursive: true, force: true }))

test.each([
  ['with nothing but an id', []],
  ['with packages', ['--package', 'tuxpaint', 'tuxpaint-data', '--category', 'design']],
  ['with words of every kind', ['--name', 'A "b": c & <d>', '--summary', 'It\'s #1: a "good" [one].']],
  ['with a command', ['--package', 'mousepad', '--command', 'mousepad', 'a b', '{c}']],
])('[TPL-4.kit] a new template %s is valid at once', async (_name, flags) => {
  const { code, out } = await kit('new', 'my-paint', ...flags)
  expect(code).toBe(0)
  expect(out).toContain('kalnet templates test my-paint')
  expect(await lintCatalog(catalog)).toEqual([])
  const { templates, recipes } = await readCatalog(catalog)
  const made = templates.find(({ template }) => template.id === 'my-paint')?.template
  const given = (flag: string) => flags[flags.indexOf(flag) + 1]
  if (flags.includes('--name')) expect(made?.name).toBe(given('--name'))
  if (flags.includes('--summary')) expect(made?.summary).toBe(given('--summary'))
  if (flags.includes('--command'))
    expect(made?.kind === 'session' && made.command).toEqual([
      '/usr/lib/kalnet/session',
      'mousepad',
      'a b',
      '{c}',
    ])
  if (flags.includes('tuxpaint'))
    expect(recipes.get('my-paint')?.packages).toEqual(['tuxpaint', 'tuxpaint-data'])
  expect(await readFile(at('templates/my-paint/template.yaml'), 'utf8')).toContain('\n# inputs:\n')
})

test.each([
  ['an id with capitals', ['Paint'], 2, /lower-case letters/],
  ['an id that climbs out', ['../paint'], 2, /cannot be the id/],
  ['an existing template', ['terminal'], 4, /already there; nothing was changed/],
  ['an existing recipe', ['gtk'], 4, /already there; nothing was changed/],
  ['no sentence', ['paint', '--summary', 'paints'], 2, /is not a sentence/],
  ['an unknown category', ['paint', '--category', 'toys'], 2, /category: .*"browsers"/],
  ['no package', ['paint', '--package', 'Tux Paint'], 2, /is not a Debian package name/],
])('[TPL-4.kit] new refuses %s and writes nothing', async (_name, args, code, words) => {
  const before = await readCatalog(catalog)
  const result = await kit('new', ...args)
  expect(result.err).toMatch(words)
  expect(result.err).toMatch(/^→ /m)
  expect(result.code).toBe(code)
  expect(await readCatalog(catalog)).toEqual(before)
})

test('[TPL-4.kit] lint says every problem with its file and ends with 1, without problems with 0', async () => {
  expect((await kit('lint')).out).toMatch(/^\d+ templates checked, nothing wrong\.$/m)
  await kit('new', 'paint')
  const file = at('templates/paint/template.yaml')
  const good = await readFile(file, 'utf8')
  await writeFile(file, good.replace('0.1.0', 'one'))
  await writeFile(at('templates/gimp/icon.svg'), '<svg/>')
  const all = await kit('lint')
  expect(all.code).toBe(1)
  expect(all.out).toMatch(/paint\/template\.yaml: version: .* \(line 5, column 10\)/)
  expect(all.out).toMatch(/gimp\/icon\.svg: does not begin with/)
  const one = await kit('lint', 'paint', '--json')
  expect(one.code).toBe(1)
  expect(JSON.parse(one.out)).toMatchObject({
    checked: ['paint'],
    problems: [{ file: 'templates/paint/template.yaml' }],
  })
})

test.each([
  ['lint of an unknown one', ['lint', 'termnal'], 2, /Did you mean terminal\?/],
  ['test of an unknown one', ['test', 'nobody'], 2, /kalnet templates new nobody/],
  ['test on an unknown platform', ['test', 'terminal', '--platform', 'moon'], 2, /Choose one of process/],
])('[TPL-4.kit] %s says what to do next', async (_name, args, code, words) => {
  const result = await kit(...args)
  expect(result.err).toMatch(words)
  expect(result.code).toBe(code)
})

test('[TPL-4.kit] what does not pass the lint is not built', async () => {
  await writeFile(at('templates/gimp/icon.svg'), '<svg/>')
  const { code, err } = await kit('test', 'gimp')
  expect(code).toBe(1)
  expect(err).toMatch(/icon\.svg: does not begin[\s\S]*`kalnet templates lint gimp`/)
})

test('a wrong word below templates names the nearest', async () => {
  const { code, err } = await cli(home, 'templates', 'lnt')
  expect(err).toMatch(/Did you mean lint\?/)
  expect(code).toBe(2)
})

test('[TPL-4.kit] a proof is noted beside the others, in order', async () => {
  const proof = {
    version: '1.0.0',
    digest: 'd',
    platform: 'process',
    sizeBytes: 1,
    firstFrameMs: 2,
    at: 'now',
  } as const
  await noteProof(catalog, 'aaa', proof)
  const noted = JSON.parse(await readFile(at('proved.json'), 'utf8'))
  expect(noted.aaa).toEqual(proof)
  expect(Object.keys(noted)[0]).toBe('aaa')
  expect(noted.terminal).toBeDefined()
})

const picture = (colourOf: (at: number) => number) => {
  const pixels = Buffer.alloc(100 * 100 * 4)
  for (let at = 0; at < 100 * 100; at++) pixels.writeUInt32LE(colourOf(at), at * 4)
  return { width: 100, height: 100, pixels }
}
test.each([
  ['black', () => 0, false],
  ['one colour', () => 0x336699, false],
  ['a pointer on black', (at: number) => (at < 50 ? at : 0), false],
  ['a program', (at: number) => at % 200, true],
])('[TPL-4.kit] %s counts as drawn or not', (_name, colourOf, drawn) => {
  expect(isDrawn(picture(colourOf))).toBe(drawn)
})
