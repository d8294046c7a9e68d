/** What goes on with a container while it runs: connections to its ports and out of its links, programs run in it, files put into it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { ContainerInspectInfo } from 'dockerode'
import { datagramsAt, dialNet } from '../dial-net.ts'
import { dialUnix } from '../dial-unix.ts'
import { give } from '../given.ts'
import type { Handle, Platform } from '../platform.ts'
import { createListeners, datagramsInside } from '../process/inside.ts'
import { lastLineOf } from '../reasons.ts'
import type { Engine } from './engine.ts'
import type { DockerLayout } from './layout.ts'
import { addressesAt, wayTo } from './ports.ts'

const MOST_OUTPUT = 64 * 1024

type Within = Required<
  Pick<Platform, 'dial' | 'dialDatagrams' | 'addresses' | 'listenInside' | 'place' | 'exec' | 'healthOf'>
>

export function createWithin(parts: {
  engine: Engine
  layout: DockerLayout
  inspect(handle: Handle): Promise<ContainerInspectInfo | null>
}): Within & { close(instanceId: string): void } {
  const { engine, layout, inspect } = parts
  const listeners = createListeners()

  const addressIn = (info: ContainerInspectInfo): string | undefined =>
    Object.values(info.NetworkSettings.Networks).find((it) => it.IPAddress)?.IPAddress

  async function placeOf(handle: Handle) {
    const info = await inspect(handle)
    if (!info?.State.Pid) throw new Error('it has no process')
    return { address: addressIn(info), inside: { pid: info.State.Pid, withUser: false } }
  }

  async function whileItRuns<T>(handle: Handle, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // Asked only now: the usual way costs the engine nothing.
      if (!(await inspect(handle))?.State.Running) throw new Error('it is not running', { cause: error })
      throw error
    }
  }

  return {
    close: listeners.close,
    dial: (handle, portName, signal) =>
      whileItRuns(handle, async () => {
        const way = wayTo(handle, portName)
        if ('unix' in way) return dialUnix(layout.of(handle.instanceId).run, way.unix, signal)
        if (!('tcp' in way)) throw new Error(`${portName} is no port for connections`)
        const { address, inside } = await placeOf(handle)
        return dialNet(address, way.tcp, async () => inside, signal)
      }),
    dialDatagrams: (handle, portName, signal) =>
      whileItRuns(handle, async () => {
        const way = wayTo(handle, portName)
        if (!('udp' in way)) throw new Error(`${portName} is no port for datagrams`)
        const { address, inside } = await placeOf(handle)
        return address
          ? datagramsAt({ host: address, port: way.udp }, signal)
          : datagramsInside(inside, way.udp, signal)
      }),
    async addresses(handle) {
      const info = await inspect(handle)
      return info?.State.Running ? addressesAt(addressIn(info), handle) : {}
    },
    listenInside: (handle, places, take, signal, broken) =>
      whileItRuns(handle, async () => {
        const { inside } = await placeOf(handle)
        await listeners.listen(handle.instanceId, inside, places, take, signal, broken)
      }),
    async place(handle, folder, files) {
      const info = await inspect(handle)
      const place = join(layout.of(handle.instanceId).given, folder)
      if (!info || !existsSync(place)) throw new Error(`it has no folder ${folder}`)
      const uid = Number(info.Config.User.split(':')[0])
      await give(place, files, process.getuid?.() === 0 ? uid : null)
    },
    async healthOf(handle) {
      const health = (await inspect(handle))?.State.Health
      if (!health || !isHealth(health.Status)) return null
      const said = health.Log?.at(-1)?.Output ?? ''
      return { state: health.Status, detail: lastLineOf(said) }
    },
    exec: (handle, command, signal, timeoutMs) =>
      whileItRuns(handle, async () => {
        const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
        const client = await engine.patient()
        const container = client.getContainer(String(handle.data.container))
        const running = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true })
        const stream = await running.start({ abortSignal: signal })
        const output = new PassThrough()
        client.modem.demuxStream(stream, output, output)
        let text = ''
        output.on('data', (chunk: Buffer) => {
          text = (text + chunk.toString('utf8')).slice(-MOST_OUTPUT)
        })
        const onAbort = () => {
          // The engine has no word for ending it; its process is one of this machine.
          void running
            .inspect()
            .then(({ Running, Pid }) => void (Running && Pid > 0 && process.kill(Pid, 'SIGKILL')))
            .catch(() => undefined)
            .finally(() => stream.destroy())
        }
        until.addEventListener('abort', onAbort, { once: true })
        // Cut off by us: how it ended is asked next.
        await finished(stream).catch(() => undefined)
        until.removeEventListener('abort', onAbort)
        signal.throwIfAborted()
        if (until.aborted) return { code: null, lastLine: lastLineOf(text) }
        return { code: (await running.inspect()).ExitCode, lastLine: lastLineOf(text) }
      }),
  }
}

const isHealth = (status: string): status is 'starting' | 'healthy' | 'unhealthy' =>
  ['starting', 'healthy', 'unhealthy'].includes(status)
