/** What `down --purge` takes away beside the folders: things in the container engine, rules, the database's system user. */
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerLayout } from '@kalnet/controller/platforms/docker/layout'
import { run, start } from '@kalnet/io/spawn'
import { DATABASE_USER, lookUp } from '@kalnet/server/core/postgres/owner'
import { afterEach, describe, expect, test } from 'vitest'
import { removeSystemUser } from './system-user.ts'
import { cli, NO_HOME, temporaryHome } from './testing.ts'

const isDemanded = process.env.KALNET_PEERS === 'all'
const isRoot = process.getuid?.() === 0
const answers = (command: string, ...words: string[]) =>
  run(command, words, { timeoutMs: 10_000 }).then(
    (it) => it.code === 0,
    () => false,
  )
const root = isRoot ? null : 'root'
const engineLacks = root ?? ((await answers('docker', 'version')) ? null : 'a Docker engine that answers')
const usersLack = root ?? ((await answers('useradd', '--help')) ? null : 'useradd')
const never = new AbortController().signal

if (engineLacks && !isDemanded) test.skip(`purging what is in the engine: ${engineLacks} is missing`)
else
  describe('purging what is in the engine', () => {
    let it = NO_HOME
    afterEach(() => it.remove())
    const engine = async (...words: string[]) => (await run('docker', words)).stdout.trim()

    test('[CTL-1.purge-engine] `down --purge` takes networks, containers and rules as well, and says so', async () => {
      it = await temporaryHome()
      const data = join(it.home, 'data')
      await mkdir(data)
      const { installation } = createDockerLayout({ data, runtime: '', config: '' })
      const mine = `io.kalnet.installation=${installation}`
      const name = `purge-${installation}`
      const chain = `KALNET-DOCKER-${installation.toUpperCase()}`
      const theirs = `${name}-theirs`
      await engine('network', 'create', '--subnet', '10.215.100.0/29', '--label', mine, name)
      await engine(
        'network',
        'create',
        '--subnet',
        '10.215.100.8/29',
        '--label',
        'io.kalnet.installation=other',
        theirs,
      )
      await run('iptables', ['-w', '10', '-N', chain])
      try {
        const purged = await cli(it.home, 'down', '--purge', '--yes')
        expect(purged.code, purged.err).toBe(0)
        expect(purged.out).toContain('Removed from Docker: 1 network.')
        expect(await engine('network', 'ls', '--quiet', '--filter', `label=${mine}`)).toBe('')
        expect(await engine('network', 'ls', '--quiet', '--filter', `name=${theirs}`)).not.toBe('')
        expect((await run('iptables', ['-w', '10', '-S'])).stdout).not.toContain(chain)
        const again = await cli(it.home, 'down', '--purge', '--yes', '--json')
        expect(JSON.parse(again.out)).toMatchObject({ removed: [], engine: { networks: 0, containers: 0 } })
      } finally {
        await engine('network', 'rm', theirs)
      }
    })
  })

if (usersLack && !isDemanded) test.skip(`the system user of the database: ${usersLack} is missing`)
else
  describe('the system user of the database', () => {
    const name = `kalnet-t${process.pid}`
    const add = (comment: string) =>
      run('useradd', ['--system', '--no-create-home', '--user-group', '--comment', comment, name])
    afterEach(async () => {
      await run('userdel', [name])
    })

    test('[CTL-1.purge-user] goes when Kalnet made it and nothing is its own; else it stays, and why is said', async () => {
      const below = await mkdtemp(join(tmpdir(), 'kal-user-'))
      const remove = () => removeSystemUser(never, { name, below })
      try {
        expect(await remove()).toEqual({ removed: false, why: null })
        await add('Somebody')
        expect(await remove()).toEqual({ removed: false, why: null })
        expect((await lookUp(name))?.comment).toBe('Somebody')

        await run('usermod', ['--comment', DATABASE_USER.comment, name])
        const { uid = 0, gid = 0 } = (await lookUp(name)) ?? {}
        const file = join(below, 'PG_VERSION')
        await writeFile(file, '')
        await chown(file, uid, gid)
        expect((await remove()).why).toContain(`${file} is its own`)
        await rm(file)

        const sleeping = start('sleep', ['60'], { uid, gid, stdio: 'ignore' })
        const ended = once(sleeping, 'exit')
        expect((await remove()).why).toBe(
          `The system user ${name} stays: process ${sleeping.pid} runs as it.`,
        )
        sleeping.kill('SIGKILL')
        await ended

        expect(await remove()).toEqual({ removed: true, why: null })
        expect(await lookUp(name)).toBeNull()
        expect((await run('getent', ['group', name])).stdout).toBe('')
      } finally {
        await rm(below, { recursive: true })
      }
    })
  })
