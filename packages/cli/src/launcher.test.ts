/** The launcher in a copy of its own with a PATH made for it: which Node it takes, what it fetches, what it says. */
import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@kalnet/io/spawn'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NO_HOME, temporaryHome } from './testing.ts'
import { ROOT } from './tree.ts'

const TOOLS = [
  'sh',
  'ls',
  'awk',
  'chmod',
  'cat',
  'cksum',
  'date',
  'dirname',
  'id',
  'kill',
  'mkdir',
  'printf',
  'readlink',
  'rm',
  'sleep',
  'tail',
  'uname',
  'env',
]
let it = NO_HOME
let bin = ''
let tree = ''

/** A program of ours on the made-up PATH, in shell. */
const program = async (path: string, text: string) => {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, 0o755)
}
const node = (version: string) =>
  `if [ "$1" = --version ]; then echo v${version}; else echo "node ${version}: $*"; fi`
/** npm that "installs" by making what the launcher looks for, and writes down how it was called. */
const npm = `echo "npm $*" >>"$CALLS"
case "$*" in
  *--prefix*) dir=$3/node_modules/node-$PLATFORM/bin; mkdir -p "$dir"
    printf '#!/bin/sh\\n%s\\n' '${node('24.21.0').replaceAll("'", "'\\''")}' >"$dir/node"; chmod +x "$dir/node" ;;
  ci*) mkdir -p node_modules ;;
esac
[ -z "$FAIL" ] || { echo "network is down"; exit 1; }`
const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64'

beforeEach(async () => {
  it = await temporaryHome()
  bin = join(it.home, 'bin')
  tree = join(it.home, 'a tree')
  await mkdir(bin)
  for (const tool of TOOLS) {
    const found = await run('/bin/sh', ['-c', `command -v ${tool}`])
    if (found.stdout.startsWith('/')) await symlink(found.stdout.trim(), join(bin, tool))
  }
  await mkdir(join(tree, 'packages/cli/src'), { recursive: true })
  await cp(join(ROOT, 'kalnet'), join(tree, 'kalnet'))
  await writeFile(join(tree, 'package-lock.json'), '{}')
})
afterEach(() => it.remove())

const launch = (args: string[] = ['status'], env: Record<string, string> = {}, from = join(tree, 'kalnet')) =>
  run(from, args, {
    cwd: '/',
    env: { PATH: bin, CALLS: join(it.home, 'calls'), PLATFORM: platform, HOME: it.home, ...env },
  })
const calls = () => readFile(join(it.home, 'calls'), 'utf8').catch(() => '')

test('Node 24 on PATH is used; dependencies are installed once for each lock file', async () => {
  await program(join(bin, 'node'), node('24.3.0'))
  await program(join(bin, 'npm'), npm)
  const first = await launch(['sessions', 'run', 'a b'])
  expect(first.stdout).toContain(
    `node 24.3.0: --disable-warning=ExperimentalWarning ${tree}/packages/cli/src/main.ts sessions run a b`,
  )
  expect(first.stderr).toMatch(/Installing Kalnet's dependencies by the lock file … done in \d+ s/)
  expect((await calls()).match(/npm ci --ignore-scripts/g)).toHaveLength(1)
  const second = await launch()
  expect(second.stderr).toBe('')
  await writeFile(join(tree, 'package-lock.json'), '{"changed":true}')
  await launch()
  expect((await calls()).match(/npm ci/g)).toHaveLength(2)
})

test('an older Node is not used: the pinned one is fetched once, and offline from then on', async () => {
  await program(join(bin, 'node'), node('20.20.2'))
  await program(join(bin, 'npm'), npm)
  const first = await launch()
  expect(first.stdout).toContain('node 24.21.0: ')
  expect(await calls()).toMatch(
    /npm install --prefix .*\.kalnet\/node --no-save .* node-linux-(x64|arm64)@24\.21\.0 npm@[\d.]+\n/,
  )
  await rm(join(bin, 'npm'))
  expect((await launch()).stdout).toContain('node 24.21.0: ')
})

test('it works through a symbolic link, and a link to that', async () => {
  await program(join(bin, 'node'), node('24.3.0'))
  await program(join(bin, 'npm'), npm)
  await mkdir(join(it.home, 'links'))
  await symlink('../a tree/kalnet', join(it.home, 'links/one'))
  await symlink(join(it.home, 'links/one'), join(it.home, 'links/kalnet'))
  expect((await launch(['status'], {}, join(it.home, 'links/kalnet'))).stdout).toContain(
    `${tree}/packages/cli/src/main.ts`,
  )
})

test('without Node and npm, not on Debian: what is needed and where it is', async () => {
  const { code, stderr } = await launch()
  expect(code).toBe(4)
  expect(stderr).toMatch(/Node 24.*nodejs\.org/)
})

test('without Node and npm on Debian: root installs npm by apt, saying so; with --no-install only the line is printed', async () => {
  const apt = `echo "apt-get $*" >>"$CALLS"\ncase "$*" in install*) printf '#!/bin/sh\\n%s\\n' '${npm.replaceAll("'", "'\\''")}' >"$BIN/npm"; chmod +x "$BIN/npm";; esac`
  await program(join(bin, 'apt-get'), apt)
  await rm(join(bin, 'id'))
  await program(join(bin, 'id'), 'echo 1000')
  const user = await launch(['up'], { BIN: bin })
  expect([user.code, user.stderr]).toEqual([
    4,
    expect.stringMatching(/sudo apt-get update && sudo apt-get install .*npm/),
  ])
  await program(join(bin, 'id'), 'echo 0')
  const refused = await launch(['up', '--no-install'], { BIN: bin })
  expect(refused.code).toBe(4)
  expect(await calls()).not.toContain('apt-get install')
  const root = await launch(['up'], { BIN: bin })
  expect(root.stderr).toMatch(/installing npm by apt/)
  expect(await calls()).toContain('apt-get install -y --no-install-recommends npm')
  expect(root.stdout).toContain('node 24.21.0: ')
})

test('a failing step shows the end of its output, and nothing counts as installed', async () => {
  await program(join(bin, 'node'), node('24.3.0'))
  await program(join(bin, 'npm'), npm)
  const failed = await launch(['status'], { FAIL: 'yes' })
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/failed after \d+ s\nnetwork is down\n/)
  expect((await launch()).stdout).toContain('node 24.3.0')
})

test('a lock left by a killed installation is taken over', async () => {
  await program(join(bin, 'node'), node('24.3.0'))
  await program(join(bin, 'npm'), npm)
  await mkdir(join(tree, '.kalnet/lock'), { recursive: true })
  // Above the kernel's limit of ids: no such process.
  await writeFile(join(tree, '.kalnet/lock/pid'), '99999999')
  expect((await launch()).stdout).toContain('node 24.3.0')
})

test.skipIf(process.getuid?.() !== 0)(
  "somebody else's checkout: used when it is installed, explained when it is not",
  async () => {
    await program(join(bin, 'node'), node('24.3.0'))
    await program(join(bin, 'npm'), npm)
    await chmod(it.home, 0o755)
    const asOther = () =>
      run(
        'setpriv',
        ['--reuid=65534', '--regid=65534', '--clear-groups', '--', join(tree, 'kalnet'), 'status'],
        {
          env: { PATH: `${bin}:/usr/bin`, CALLS: join(it.home, 'calls'), PLATFORM: platform },
        },
      )
    const before = await asOther()
    expect(before.code).toBe(4)
    expect(before.stderr).toMatch(/belongs to root and is not installed yet[\s\S]*cp -R /)
    await launch()
    expect((await asOther()).stdout).toContain('node 24.3.0')
  },
)
