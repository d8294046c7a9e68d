/** What the real tests of the platforms share: images kept between runs, recipes from the catalog, an "internet" of one address. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chainOf, type RecipeChain, recipeFileFormat } from '@kalnet/contracts/recipe'
import { createLog } from '@kalnet/io/log'
import { withLocks } from '@kalnet/io/recipe-locks'
import { must, run, start } from '@kalnet/io/spawn'
import { claimOne } from '@kalnet/io/testing/claim'
import { parse } from 'yaml'
import { createImages, type Images } from '../images/images.ts'

export const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** Outside of the work tree, so that a kept machine starts warm. */
export const testCache = process.env.KALNET_TEST_CACHE ?? `/var/tmp/kalnet-test-${process.getuid?.()}`

export const testImages = (): Images =>
  createImages({ folder: join(testCache, 'images'), log: createLog('test', 'silent') })

export function recipeChainOf(name: string): RecipeChain {
  const folder = join(repository, 'catalog', 'images')
  const recipes = new Map(
    readdirSync(folder).map((it) => {
      const read = (file: string) => readFileSync(join(folder, it, file), 'utf8')
      return [it, withLocks(recipeFileFormat.parse(parse(read('recipe.yaml'))), read)]
    }),
  )
  return chainOf(name, recipes)
}

/** Real tests skip where their part is missing, saying why; with KALNET_PEERS=all they must run. */
export const isDemanded = process.env.KALNET_PEERS === 'all'

const has = (command: string) =>
  run('which', [command]).then(
    (it) => it.code === 0,
    () => false,
  )

/** The first of these programs that is missing, or null. */
export async function missing(commands: string[]): Promise<string | null> {
  for (const command of commands) if (!(await has(command))) return command
  return null
}

/** A namespace that answers "reached" on a public documentation address (RFC 5737), routed but not connected. Root only. */
export async function openOutside(): Promise<{ address: string; port: number; close(): Promise<void> }> {
  const { number, release } = await claimOne('outside', 100)
  const name = `kto${number}`
  const address = `198.51.100.${100 + number}`
  const part = (last: number) => `100.99.${number}.${last}`
  const remove = async () => {
    await run('ip', ['route', 'del', `${address}/32`])
    await run('ip', ['link', 'del', name])
    await run('ip', ['netns', 'del', name])
  }
  // Whoever had this number before and was killed has left it.
  await remove()
  await must('ip', ['netns', 'add', name])
  await must('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
  await must('ip', ['addr', 'add', `${part(1)}/30`, 'dev', name])
  await must('ip', ['link', 'set', name, 'up'])
  for (const words of [
    ['addr', 'add', `${part(2)}/30`, 'dev', 'eth0'],
    ['addr', 'add', `${address}/32`, 'dev', 'lo'],
    ['link', 'set', 'lo', 'up'],
    ['link', 'set', 'eth0', 'up'],
    ['route', 'add', 'default', 'via', part(1)],
  ])
    await must('ip', ['-n', name, ...words])
  await must('ip', ['route', 'add', `${address}/32`, 'via', part(2)])
  const program =
    "require('net').createServer(s => s.end('reached')).listen(8080, '0.0.0.0', () => console.log('up'))"
  const server = start('ip', ['netns', 'exec', name, process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => server.stdout?.once('data', resolve))
  // The way back to the instances goes through an interface that did not forward before.
  await must('sysctl', ['-q', '-w', `net.ipv4.conf.${name}.forwarding=1`])
  return {
    address,
    port: 8080,
    async close() {
      server.kill('SIGKILL')
      await remove()
      release()
    },
  }
}
