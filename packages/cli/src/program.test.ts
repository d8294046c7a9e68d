/** The command line as people and scripts meet it: help, wrong lines, exit codes, JSON. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from './testing.ts'

let it = NO_HOME
beforeAll(async () => {
  it = await temporaryHome()
})
afterAll(() => it.remove())

test('help shows every verb, examples and exit codes', async () => {
  const { code, out } = await cli(it.home, '--help')
  expect(code).toBe(0)
  for (const word of [
    'up',
    'down',
    'status',
    'doctor',
    'sessions',
    'templates',
    'controllers',
    'images',
    'test',
    'bench',
    'audit',
  ])
    expect(out).toContain(`  ${word}`)
  expect(out).toContain('kalnet sessions run terminal')
  expect(out).toMatch(/3 {2}Kalnet is not running/)
})

const lines: [string, string[], number, RegExp][] = [
  ['a wrong verb names the nearest', ['statsu'], 2, /Did you mean status\?/],
  ['a wrong verb below another', ['sessions', 'lst'], 2, /Did you mean list\?/],
  ['a wrong flag names the nearest', ['up', '--lann'], 2, /Did you mean --lan\?/],
  ['a missing argument', ['sessions', 'run'], 2, /missing required argument 'template'/i],
  ['status without a supervisor', ['status'], 3, /not running[\s\S]*kalnet up/],
  ['sessions without a control plane', ['sessions', 'list'], 3, /not running/],
  ['templates without a control plane', ['templates'], 3, /not running/],
  [
    'an unknown platform',
    ['sessions', 'run', 'terminal', '--platform', 'moon'],
    2,
    /no platform called moon/,
  ],
  ['a wrong answer', ['sessions', 'run', 'terminal', '--answer', 'x'], 2, /name=value/],
  ['an unknown image', ['images', 'build', 'terminl'], 2, /Did you mean terminal\?/],
  ['an unknown measurement', ['bench', 'steam'], 2, /nothing called steam/],
  ['contrary flags', ['down', '--purge', '--keep-instances'], 2, /ends every session/],
  ['down when nothing runs is done', ['down'], 0, /was not running/],
]
test.each(lines)('line: %s', async (_name, args, code, expected) => {
  const result = await cli(it.home, ...args)
  expect(result.out + result.err).toMatch(expected)
  expect(result.code).toBe(code)
})

test('with --json a failure is one JSON value with its next step', async () => {
  const { code, out } = await cli(it.home, 'status', '--json')
  expect(code).toBe(3)
  expect(JSON.parse(out)).toEqual({
    error: { code: 'cli.not-running', message: 'Kalnet is not running.', next: 'Start it with `kalnet up`.' },
  })
})

test('[CFG-2.check] a wrong key in kalnet.yaml is refused with line, column and the nearest one', async () => {
  await mkdir(join(it.home, 'config'), { recursive: true })
  const file = join(it.home, 'config/kalnet.yaml')
  await writeFile(file, 'listen:\n  prot: 7400\n')
  const { code, err } = await cli(it.home, 'config', 'check')
  expect(code).toBe(2)
  expect(err).toMatch(/kalnet\.yaml:2:3: .*listen\.prot.*Did you mean "listen\.port"/)
  await writeFile(file, 'listen: { port: 7411 }\n')
  const good = await cli(it.home, 'config', 'check', '--json')
  expect(JSON.parse(good.out).settings.listen.port).toBe(7411)
})
