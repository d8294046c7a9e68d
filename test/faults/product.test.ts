/** The whole product with parts killed under it: what runs lives on, what was acknowledged stays, viewers come back. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorBody } from '@kalnet/contracts/errors'
import { identityRoutes } from '@kalnet/contracts/identity'
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import { must } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { type Product, startProduct, tokenOf } from '../support/product.ts'
import { screensOf } from '../support/runtime.ts'

const BACK_MS = 5_000
const why = await lacking(['root', 'bubblewrap', 'mmdebstrap'], 'parts are killed and the product lives on')

describe.skipIf(why)('parts killed under a running session', () => {
  let product: Product
  let client: Client
  let session: Session
  const kill = async (part: string) => {
    const pid = (await product.pids())[part]
    if (!pid) throw new Error(`${part} does not run`)
    process.kill(pid, 'SIGKILL')
    return pid
  }
  const serving = async () => (await client.attempt(identityRoutes.status).catch(() => null))?.status === 200
  const restarted = (part: string, old: number) => async () => {
    const pid = (await product.pids())[part]
    return pid !== undefined && pid !== old
  }
  /** Opens the screen as the viewer does: again and again with fresh tickets. */
  const viewerBack = async () => {
    const view = await client.view(session.id).catch(() => null)
    view?.socket.terminate()
    return view?.first.toString().startsWith('RFB') ?? false
  }
  const read = () => client.call(sessionRoutes.read, { params: { id: session.id } })

  beforeAll(async () => {
    product = await startProduct()
    client = createClient(product.url)
    await client.claim(tokenOf(product.claim))
    session = await client.launch('terminal', 'process')
    session = await client.until(session.id, ['running'])
  })
  afterAll(() => product?.down())

  it('[CTL-3.server-killed] [STR-1.resume] kill -9 the control plane: the session lives on and its viewer is back', async () => {
    const screens = await screensOf(session.instanceId)
    expect(screens).toHaveLength(1)
    const { socket } = await client.view(session.id)
    const cut = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await kill('server')
    await cut
    expect(await screensOf(session.instanceId)).toEqual(screens)
    await eventually('the control plane serves again', serving)
    await eventually('the viewer is back', viewerBack, BACK_MS)
    expect((await read()).state).toBe('running')
    expect(await screensOf(session.instanceId)).toEqual(screens)
  })

  it('[CTL-3.controller-killed] kill -9 the controller: what it ran is adopted, nothing is stopped', async () => {
    const screens = await screensOf(session.instanceId)
    const old = await kill('controller')
    expect(await screensOf(session.instanceId)).toEqual(screens)
    await eventually('a new controller', restarted('controller', old), 30_000)
    await eventually('the viewer is back', viewerBack, 30_000)
    expect(await screensOf(session.instanceId)).toEqual(screens)
    expect(await read()).toMatchObject({ state: 'running', generation: session.generation })
  })

  it('[CTL-1.database-killed] kill -9 PostgreSQL: acknowledged writes are there and new ones resume', async () => {
    await client.call(identityRoutes.changeMe, { body: { name: 'Acknowledged' } })
    await kill('database')
    const during = await client.attempt(identityRoutes.changeMe, { body: { name: 'During' } })
    if (during.status >= 400) expect((during.body as ErrorBody).error.code).toBe('store.unavailable')
    else expect(during.status).toBe(200)
    await eventually(
      'writes resume',
      async () =>
        (await client.attempt(identityRoutes.changeMe, { body: { name: 'After' } }).catch(() => null))
          ?.status === 200,
      30_000,
    )
    expect((await client.call(identityRoutes.me)).name).toBe('After')
    expect((await read()).state).toBe('running')
    expect(await screensOf(session.instanceId)).toHaveLength(1)
  })

  it('[CTL-3.supervisor-killed] kill -9 the supervisor: the next up takes over and the session is still there', async () => {
    const screens = await screensOf(session.instanceId)
    const status = JSON.parse((await product.kalnet('status', '--json')).stdout) as { pid: number }
    process.kill(status.pid, 'SIGKILL')
    const up = await product.kalnet('up', '--json', '--as-is', '--port', String(product.port))
    expect(up.stderr + up.stdout).toContain('"url"')
    await eventually('the viewer is back', viewerBack, 30_000)
    expect(await screensOf(session.instanceId)).toEqual(screens)
  })

  it('[SES-1.killed] a process tree killed by hand: failed with the reason within 5 s, and not started again', async () => {
    const [screen] = await screensOf(session.instanceId)
    process.kill(screen ?? 0, 'SIGKILL')
    await eventually('the session is shown failed', async () => (await read()).state === 'failed', 5_000)
    const failed = await read()
    expect(failed.reason).toMatch(/ended|killed|closed/i)
    await sleep(3_000)
    expect(await screensOf(session.instanceId)).toEqual([])
    expect((await read()).state).toBe('failed')
  })

  it('[SES-1.restart] started afresh it is a new generation with a screen of its own', async () => {
    const again = await client.call(sessionRoutes.restart, { params: { id: session.id } })
    expect(again.generation).toBe(session.generation + 1)
    expect((await client.until(session.id, ['running'])).generation).toBe(session.generation + 1)
    expect(await screensOf(session.instanceId)).toHaveLength(1)
    expect(await viewerBack()).toBe(true)
  })
})

const noMount = await lacking(['root'], 'a full disk is told and survived')
describe.skipIf(noMount)('a full disk', () => {
  let product: Product
  let client: Client
  const home = `/tmp/kn-full-${process.pid}`

  beforeAll(async () => {
    // A file system of its own, small, so that it can be filled.
    await must('mkdir', ['-p', `${home}/data`])
    await must('mount', ['-t', 'tmpfs', '-o', 'size=300m,mode=0755', 'tmpfs', `${home}/data`])
    product = await startProduct({ home })
    client = createClient(product.url)
    await client.claim(tokenOf(product.claim))
  })
  afterAll(async () => {
    await product?.down()
    await must('umount', ['-l', `${home}/data`]).catch(() => undefined)
    await must('rm', ['-rf', '--one-file-system', home]).catch(() => undefined)
  })

  it('[CTL-1.disk-full] writes are refused in words, nothing acknowledged is lost, and it recovers by itself', {
    timeout: 180_000,
  }, async () => {
    await client.call(identityRoutes.changeMe, { body: { name: 'Before' } })
    await must('dd', ['if=/dev/zero', `of=${home}/data/filler`, 'bs=1M']).catch(() => undefined)
    let refused: ErrorBody | null = null
    let last = 'Before'
    for (let round = 0; round < 4_000 && !refused; round++) {
      const name = `${'x'.repeat(50)}${round}`
      const answer = await client.attempt(identityRoutes.changeMe, { body: { name } })
      if (answer.status >= 400) refused = answer.body as ErrorBody
      else last = name
    }
    expect(['store.full', 'store.unavailable']).toContain(refused?.error.code)
    expect(refused?.error.next.length).toBeGreaterThan(10)
    await must('rm', [`${home}/data/filler`])
    await eventually(
      'it recovers',
      async () => (await client.attempt(identityRoutes.me).catch(() => null))?.status === 200,
      60_000,
    )
    expect((await client.call(identityRoutes.me)).name).toBe(last)
    await eventually(
      'writes resume',
      async () =>
        (await client.attempt(identityRoutes.changeMe, { body: { name: 'Again' } }).catch(() => null))
          ?.status === 200,
      60_000,
    )
  })
})
