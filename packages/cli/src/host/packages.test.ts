/** What `up` does about programs the host lacks: by who runs it, on what, and whether it may. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explain } from '../problem.ts'
import { keptOutput } from '../testing.ts'
import { ensureHost, HOST_PROGRAMS, isDebianLike, missingPrograms } from './packages.ts'

let folder = ''
const program = async (name: string) => {
  await writeFile(join(folder, name), '#!/bin/sh\n')
  await chmod(join(folder, name), 0o755)
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kalnet-host-'))
  for (const one of HOST_PROGRAMS.slice(1)) await program(one.program)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('only what is missing is named', async () => {
  expect((await missingPrograms([folder])).map((it) => it.package)).toEqual(['bubblewrap'])
})

const cases: [string, { uid: number; mayInstall: boolean; debian: boolean }, RegExp][] = [
  [
    'an ordinary user on Debian',
    { uid: 1000, mayInstall: true, debian: true },
    /sudo apt-get update && .*install -y --no-install-recommends bubblewrap/,
  ],
  [
    'root with --no-install',
    { uid: 0, mayInstall: false, debian: true },
    /--no-install-recommends bubblewrap/,
  ],
  ['root elsewhere', { uid: 0, mayInstall: true, debian: false }, /your system's packages/],
]
test.each(cases)('%s is told what to run, and nothing is touched', async (_name, who, line) => {
  const { output, err } = keptOutput()
  const signal = new AbortController().signal
  const error = await ensureHost({ env: {}, places: [folder], output, signal, ...who }).catch(
    (it: unknown) => it,
  )
  expect(explain(error)).toMatchObject({ exit: 4, message: 'This machine lacks bubblewrap.' })
  expect(explain(error).next).toMatch(line)
  expect(err()).toBe('')
})

test('root on Debian: they are installed by apt, saying so, and looked for afterwards', async () => {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  const calls = join(folder, 'calls')
  await writeFile(
    join(bin, 'apt-get'),
    `#!/bin/sh\necho "$*" >>'${calls}'\n[ -z "$MAKES" ] || { echo x >"$MAKES"; chmod +x "$MAKES"; }\n`,
  )
  await chmod(join(bin, 'apt-get'), 0o755)
  const { output, err } = keptOutput()
  const install = (env: NodeJS.ProcessEnv) =>
    ensureHost({
      env: { PATH: `${bin}:/usr/bin:/bin`, ...env },
      uid: 0,
      mayInstall: true,
      debian: true,
      places: [folder],
      output,
      signal: new AbortController().signal,
    })
  expect(explain(await install({}).catch((it: unknown) => it)).message).toMatch(/bwrap is still not there/)
  await install({ MAKES: join(folder, 'bwrap') })
  expect(err()).toContain('This machine lacks bubblewrap; installing them by apt.')
  expect(await readFile(calls, 'utf8')).toContain('-q install -y --no-install-recommends bubblewrap\n')
  await rm(join(folder, 'bwrap'))
})

test('with everything there it returns at once', async () => {
  await program('bwrap')
  const { output } = keptOutput()
  await ensureHost({
    env: {},
    uid: 1000,
    mayInstall: false,
    output,
    signal: new AbortController().signal,
    places: [folder],
  })
})

test.each([
  ['ID=debian', true],
  ['ID=ubuntu\nID_LIKE=debian', true],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"', true],
  ['ID=fedora', false],
])('os-release %j', async (text, expected) => {
  const file = join(folder, 'os-release')
  await writeFile(file, `${text}\n`)
  expect(await isDebianLike(file)).toBe(expected)
})
