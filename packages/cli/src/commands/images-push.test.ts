/** `kalnet images push`: what it wants to know, and that a password is never a word of the command line. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let it = NO_HOME
beforeEach(async () => {
  it = await temporaryHome()
})
afterEach(() => it.remove())

const push = (...args: string[]) => cli(it.home, 'images', 'push', ...args)
const NEVER = ['--registry', 'https://registry.invalid']

test.each([
  [[], 2, /Name recipes or templates, or say --all/],
  [['terminal', '--all'], 2, /Name recipes or templates, or say --all/],
  [['termnal', ...NEVER], 2, /There is no recipe or template termnal[\s\S]*Did you mean terminal/],
  [['terminal'], 2, /Which registry\?[\s\S]*registry\.example\.com/],
  [['terminal', '--registry', 'http://registry.invalid'], 2, /must be https/],
  [['terminal', '--registry', 'https://a:b@registry.invalid'], 2, /a host and a port only/],
  [['terminal', '--registry', 'https://registry.invalid/UP'], 2, /not the name of a repository/],
  [['terminal', ...NEVER, '--credentials', '/none'], 2, /There is no file \/none/],
  [['terminal', ...NEVER, '--password', 'x'], 2, /Unknown option/],
])('[K8S-2.push-command] %j ends with %i', async (args, code, words) => {
  const ended = await push(...args)
  expect(ended.code).toBe(code)
  expect(ended.err).toMatch(words)
})

test.each([
  ['user:password', 0o644, 4, /Others on this machine can read/],
  ['password', 0o600, 2, /does not hold user:password/],
  [':password', 0o600, 2, /does not hold user:password/],
])(
  '[K8S-2.push-command] a file of credentials %j, mode %i, is not taken',
  async (text, mode, code, words) => {
    const file = join(it.home, 'credentials')
    await writeFile(file, `${text}\n`, { mode })
    const ended = await push('terminal', ...NEVER, '--credentials', file)
    expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(words)])
    expect(ended.err + ended.out).not.toContain('password\n')
  },
)

test('help says where passwords come from, with examples', async () => {
  const { code, out } = await push('--help')
  expect(code).toBe(0)
  expect(out).toMatch(/KALNET_REGISTRY_PASSWORD[\s\S]*Examples:[\s\S]*--all --registry/)
})
