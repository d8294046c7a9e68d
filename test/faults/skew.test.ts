/**
 * Two releases at once: the control plane of one with a controller of the other, both ways round, as whole products. The other release is a commit
 * of this repository, named with KALNET_SKEW; its tree is taken from here, its packages are this tree's.
 */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { serviceRoutes } from '@kalnet/contracts/service'
import { sessionRoutes } from '@kalnet/contracts/session'
import { must, run, start } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { CHECKOUT, imageCache, type Product, startProduct, tokenOf } from '../support/product.ts'

const commit = process.env.KALNET_SKEW
const proves = 'a control plane and a controller of two releases'
const why = commit ? await lacking(['root', 'bubblewrap', 'mmdebstrap'], proves) : true
if (!commit) process.stderr.write(`skipped, runs with KALNET_SKEW=<commit> of the other release: ${proves}\n`)

/** The tree of a commit, ready to run: nothing is fetched. */
async function treeOf(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kn-skew-'))
  const tree = join(folder, 'tree')
  await must('git', ['clone', '--quiet', '--no-checkout', CHECKOUT, tree], { timeoutMs: 60_000 })
  await must('git', ['-C', tree, 'checkout', '--quiet', name], { timeoutMs: 60_000 })
  await must('cp', ['-al', join(CHECKOUT, 'node_modules'), join(tree, 'node_modules')], {
    timeoutMs: 120_000,
  })
  await cp(join(CHECKOUT, '.kalnet'), join(tree, '.kalnet'), { recursive: true, verbatimSymlinks: true })
  // Says that the packages are those of its own lock file: a superset of them is there.
  const sum = await must('cksum', [join(tree, 'package-lock.json')])
  await writeFile(join(tree, '.kalnet/installed'), `${sum.stdout.trim().split(' ').slice(0, 2).join(' ')}\n`)
  return tree
}

describe.skipIf(why)('[CTL-4.skew] whole products of two releases', () => {
  let other = ''
  beforeAll(async () => {
    other = await treeOf(commit ?? '')
  }, 300_000)
  afterAll(() => rm(join(other, '..'), { recursive: true, force: true }))

  describe.each(['control plane', 'controller'])('the %s is of the other one', (older) => {
    let product: Product
    let owner: ReturnType<typeof createClient>
    let machine: ReturnType<typeof start>
    let home = ''
    const own = older === 'control plane' ? () => CHECKOUT : () => other
    inOrder()
    beforeAll(async () => {
      product = await startProduct(older === 'control plane' ? { checkout: other } : {})
      owner = createClient(product.url)
      await owner.claim(tokenOf(product.claim))
      home = await mkdtemp(join(tmpdir(), 'kn-'))
      await mkdir(join(home, 'data'), { recursive: true })
      await symlink(await imageCache(), join(home, 'data/images'))
    }, 300_000)
    afterAll(async () => {
      await product?.down()
      machine?.kill('SIGTERM')
      if (machine && machine.exitCode === null) await new Promise((resolve) => machine.once('exit', resolve))
      await rm(home, { recursive: true, force: true })
    }, 120_000)

    it('it is enrolled and online', async () => {
      await product.kalnet('controllers', 'cordon', 'this machine')
      const { token } = await owner.call(controllerRoutes.token, { body: { name: 'attic' } })
      const words = ['controller', '--join', product.url, '--token', token, '--platforms', 'process']
      machine = start(join(own(), 'kalnet'), words, {
        env: { ...process.env, KALNET_HOME: home },
        stdio: ['ignore', 'ignore', 'inherit'],
        cwd: '/',
      })
      await eventually('it is online', async () =>
        (await owner.call(controllerRoutes.list)).items.some(
          (it) => it.name === 'attic' && it.state === 'online',
        ),
      )
    })

    it('a session starts there, draws, and stops', async () => {
      const session = await owner.launch('terminal', 'process')
      await owner.until(session.id, ['running'])
      const { socket, first } = await owner.view(session.id)
      expect(first.toString('latin1')).toMatch(/^RFB /)
      socket.terminate()
      await owner.call(sessionRoutes.stop, { params: { id: session.id } })
      await owner.until(session.id, ['stopped'])
    })

    it('a service runs there and is well', async () => {
      const { id } = await owner.call(serviceRoutes.install, {
        body: { templateId: 'site', platform: 'process' },
      })
      await eventually(
        'it runs',
        async () => {
          const it = await owner.call(serviceRoutes.read, { params: { id } })
          if (it.state === 'failed') throw new Error(JSON.stringify(it, null, 1))
          return it.state === 'running'
        },
        240_000,
      )
      // `down` ends what runs on its own machine; this one is another.
      const { instances } = await owner.call(serviceRoutes.read, { params: { id } })
      expect(instances.length).toBeGreaterThan(0)
      await owner.call(serviceRoutes.remove, { params: { id }, query: { data: 'remove' } })
      const site = () => run('pgrep', ['-f', '^bwrap .*/usr/lib/kalnet/site'], { timeoutMs: 10_000 })
      await eventually('nothing of it runs', async () => (await site()).code !== 0)
    })
  })
})
