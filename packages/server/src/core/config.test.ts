/** Settings: where they come from, which one wins, and what a mistake is answered with. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, settings, variableFor } from './config.ts'

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kalnet-config-'))
  file = join(folder, 'kalnet.yaml')
})
afterAll(() => rm(folder, { recursive: true }))

const load = async (text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, unknown> = {}) => {
  await writeFile(file, text)
  return loadConfig({ file, env, flags })
}
const problems = async (text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, unknown> = {}) => {
  const error = await load(text, env, flags).catch((it: unknown) => it)
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError')
  return error.problems.map((problem) => problem.replace(folder, ''))
}

describe('[CFG-2.precedence] flags > environment > file > default', () => {
  it.each<[string, NodeJS.ProcessEnv, Record<string, unknown>, number]>([
    ['', {}, {}, 7400],
    ['listen:\n  port: 7001\n', {}, {}, 7001],
    ['listen:\n  port: 7001\n', { KALNET_LISTEN_PORT: '7002' }, {}, 7002],
    ['listen:\n  port: 7001\n', { KALNET_LISTEN_PORT: '7002' }, { 'listen.port': '7003' }, 7003],
    ['listen:\n  port: 7001\n', {}, { 'listen.port': undefined }, 7001],
  ])('%j %j %j → %i', async (text, env, flags, port) => {
    expect((await load(text, env, flags)).listen.port).toBe(port)
  })
  it('no file is no mistake; lists replace; the house is for later', async () => {
    expect((await loadConfig({ file: join(folder, 'none.yaml'), env: {} })).listen.host).toBe('127.0.0.1')
    const both = await load('tls:\n  names: [a.example, b.example]\nhouse:\n  people: []\n', {
      KALNET_TLS_NAMES: 'c.example, d.example',
    })
    expect(both.tls.names).toEqual(['c.example', 'd.example'])
  })
  it.each<[NodeJS.ProcessEnv, string | undefined]>([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a.example:4318' }, 'http://a.example:4318'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'nothing', KALNET_TELEMETRY_OTLP_URL: 'http://b.example' },
      'http://b.example',
    ],
  ])('what OpenTelemetry is told everywhere counts, ours above it: %j', async (env, url) => {
    expect((await load('', env)).telemetry.otlpUrl).toBe(url)
  })
  it('every setting has its variable; variables of others are left alone', async () => {
    expect(settings().map(({ path }) => variableFor(path))).toEqual(
      expect.arrayContaining(['KALNET_LISTEN_HOST', 'KALNET_PUBLIC_URL', 'KALNET_SESSIONS_PER_USER']),
    )
    expect(
      (
        await load('', {
          KALNET_HOME: '/x',
          KALNET_CONTROLLER_TOKEN: 'x',
          KALNET_PUBLIC_URL: 'https://kalnet.example',
          KALNET_TLS_ENABLED: 'true',
        })
      ).tls.enabled,
    ).toBe(true)
  })
})

describe('[CFG-2.strict] a mistake is named with its place', () => {
  it.each<[string, string, NodeJS.ProcessEnv, Record<string, unknown>, RegExp]>([
    [
      'an unknown key, the nearest beside it',
      'listen:\n  prot: 7401\n',
      {},
      {},
      /^\/kalnet\.yaml:2:3: there is no setting "listen\.prot"\. Did you mean "listen\.port"\?$/,
    ],
    [
      'an unknown section',
      'listen:\n  port: 7401\nlissen: {}\n',
      {},
      {},
      /^\/kalnet\.yaml:3:1: there is no setting "lissen"\. Did you mean "listen"\?$/,
    ],
    ['nothing near', 'zebra: 1\n', {}, {}, /^\/kalnet\.yaml:1:1: there is no setting "zebra"\.$/],
    ['a wrong type', 'listen:\n  port: many\n', {}, {}, /^\/kalnet\.yaml:2:3: listen\.port: /],
    ['out of range', 'listen:\n  port: 70000\n', {}, {}, /^\/kalnet\.yaml:2:3: listen\.port: /],
    ['a section that is none', 'listen: 5\n', {}, {}, /^\/kalnet\.yaml:1:1: listen: /],
    ['a list instead of settings', '- a\n', {}, {}, /expected settings/],
    ['the same key twice', 'log: {}\nlog: {}\n', {}, {}, /^\/kalnet\.yaml:2:\d+: .*unique/],
    ['no YAML', 'listen: [\n', {}, {}, /^\/kalnet\.yaml:\d+:\d+: /],
    ['a wrong variable', '', { KALNET_LISTEN_PORT: 'x' }, {}, /^KALNET_LISTEN_PORT: listen\.port: /],
    [
      'an unknown variable',
      '',
      { KALNET_LISTEN_PROT: '1' },
      {},
      /no setting KALNET_LISTEN_PROT\. Did you mean KALNET_LISTEN_PORT\?/,
    ],
    ['a wrong flag', '', {}, { 'listen.port': 'x' }, /^--port: listen\.port: /],
    [
      'an address without a scheme',
      'publicUrl: kalnet.example\n',
      {},
      {},
      /^\/kalnet\.yaml:1:1: publicUrl: /,
    ],
  ])('%s', async (_, text, env, flags, words) => {
    expect((await problems(text, env, flags))[0]).toMatch(words)
  })
  it('all mistakes at once', async () => {
    expect((await problems('listen:\n  prot: 1\n  port: x\nlog:\n  level: loud\n')).length).toBe(3)
  })
  it('a bomb of aliases does not go off', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[index]}`).join(',')}]`).join('\n')}\n`
    await expect(load(bomb)).rejects.toThrow()
  })
})
