/** What every platform must do, as tests: each platform's own test file runs this suite, the fake one too. */
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type InstanceSpec, type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import type { Handle, Observation, Platform } from './platform.ts'

export interface Subject {
  platform: Platform
  /** As after a crash of ours: a new object over the same things. */
  again(): Promise<Platform>
  close(): Promise<void>
  /** Abilities this machine lacks are not tested; the test says so by its name. */
  limits: boolean
  network: boolean
  /** Something that counts as the internet, for machines that cannot reach the real one. */
  outside: { address: string; port: number } | null
  /** TCP ports of instances without network cannot be reached. */
  tcpNeedsNetwork?: boolean
}

export interface ConformanceOptions {
  open(): Promise<Subject>
  image: InstanceSpecInput['image']
  /** Only where programs really run inside. */
  isReal: boolean
  /** The fake one's programs end when told to. */
  end?(handle: Handle, code: number): void
}

const ORGANISATION = '01890000-0000-7000-8000-00000000a000'
const LONG_MS = 15_000
const wait = { timeout: LONG_MS, interval: 50 }
const never = new AbortController().signal
const DISPLAY = { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } } as const

/** Command lines of all processes of this machine. */
async function commandLines(): Promise<string[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // Those that end meanwhile have no command line.
  return Promise.all(names.map((name) => readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')))
}

async function firstBytes(platform: Platform, handle: Handle, port: string): Promise<string> {
  const stream = await platform.dial(handle, port, AbortSignal.timeout(LONG_MS))
  try {
    return await new Promise<string>((resolve, reject) => {
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
      stream.once('error', reject)
      stream.once('close', () => reject(new Error('closed')))
    })
  } finally {
    stream.on('error', () => undefined)
    stream.destroy()
  }
}

export function describePlatform(name: string, options: ConformanceOptions): void {
  const { isReal, image } = options
  /** What only a program that really runs can show: of the fake one it is not asked at all. */
  const onReal = (title: string, work: (context: TestContext) => Promise<void>, limitMs?: number) => {
    if (isReal) test(title, work, limitMs)
  }

  describe(`the ${name} platform`, () => {
    let subject: Subject
    let platform: Platform
    const made: Handle[] = []
    beforeAll(async () => {
      subject = await options.open()
      platform = subject.platform
    }, 600_000)
    afterAll(async () => {
      for (const handle of made) await platform.remove(handle)
      await subject?.close()
    })

    const spec = (command: string[], changes: Partial<InstanceSpecInput> = {}): InstanceSpec =>
      instanceSpec.parse({ image, command, ports: [DISPLAY], ...changes })
    const asleep = spec(['sleep', '1000'])
    async function ensure(it: InstanceSpec = asleep, instanceId: string = newId(), generation = 1) {
      const request = { instanceId, generation, organisationId: ORGANISATION, spec: it }
      const handle = await platform.ensure(request, never, () => undefined)
      made.push(handle)
      return handle
    }
    async function end(handle: Handle): Promise<Extract<Observation, { state: 'ended' }>> {
      await expect.poll(async () => (await platform.observe(handle)).state, wait).toBe('ended')
      const observation = await platform.observe(handle)
      if (observation.state !== 'ended') throw new Error('it ended and came back')
      return observation
    }
    /** Runs a script to its end inside and answers what it printed. */
    async function inside(script: string, changes: Partial<InstanceSpecInput> = {}) {
      const handle = await ensure(spec(['bash', '-c', script], changes))
      const observation = await end(handle)
      const lines = await platform.logs(handle, 200)
      await platform.remove(handle)
      return { lines, observation }
    }

    test('[CTL-3.ensure-twice] the same id and generation twice is the same handle and one runtime', async () => {
      const instanceId = newId()
      const [first, second] = await Promise.all([ensure(asleep, instanceId), ensure(asleep, instanceId)])
      const third = await ensure(asleep, instanceId)
      expect(second).toEqual(first)
      expect(third).toEqual(first)
      expect((await platform.list()).filter((it) => it.instanceId === instanceId)).toEqual([first])
      expect(await platform.observe(first)).toMatchObject({ state: 'running' })
      await platform.remove(first)
    })

    test('[CTL-3.platform-fencing] a lower generation is refused and a higher one replaces', async () => {
      const instanceId = newId()
      const second = await ensure(asleep, instanceId, 2)
      await expect(ensure(asleep, instanceId, 1)).rejects.toThrow(/generation 2/)
      const third = await ensure(asleep, instanceId, 3)
      expect((await platform.list()).filter((it) => it.instanceId === instanceId)).toEqual([third])
      expect(await platform.observe(second)).toEqual({ state: 'gone' })
      await platform.stop(second, 0)
      await platform.remove(second)
      expect(await platform.observe(third)).toMatchObject({ state: 'running' })
      await platform.remove(third)
    })

    test('[SES-1.ended-with-code] an end is noticed and told with its code and in words', async () => {
      const stop = new AbortController()
      const noticed: string[] = []
      const listening = (async () => {
        for await (const it of platform.changes(stop.signal)) noticed.push(it.instanceId)
      })()
      const handle = await ensure(spec(['sh', '-c', 'sleep 0.5; echo over; exit 3']))
      options.end?.(handle, 3)
      await expect.poll(() => noticed, wait).toContain(handle.instanceId)
      expect(await end(handle)).toMatchObject({ code: 3, reason: 'Its program ended with code 3' })
      stop.abort()
      await listening
      // It stays told until it is removed.
      expect(await platform.observe(handle)).toMatchObject({ state: 'ended', code: 3 })
      await platform.remove(handle)
      expect(await platform.observe(handle)).toEqual({ state: 'gone' })
    })

    test('[SES-1.stop-twice] stopping and removing twice is the same as once', async () => {
      const handle = await ensure()
      await platform.stop(handle, 1000)
      await platform.stop(handle, 1000)
      expect(await platform.observe(handle)).toMatchObject({ state: 'ended' })
      await platform.remove(handle)
      await platform.remove(handle)
      await platform.stop(handle, 1000)
      expect(await platform.observe(handle)).toEqual({ state: 'gone' })
      expect((await platform.list()).some((it) => it.instanceId === handle.instanceId)).toBe(false)
    })

    test('[CTL-4.platform-adopt] after a restart of ours everything is found again and can be stopped', async () => {
      const handle = await ensure()
      const next = await subject.again()
      expect((await next.list()).find((it) => it.instanceId === handle.instanceId)).toEqual(handle)
      expect(await next.observe(handle)).toMatchObject({ state: 'running' })
      const request = {
        instanceId: handle.instanceId,
        generation: 1,
        organisationId: ORGANISATION,
        spec: asleep,
      }
      expect(await next.ensure(request, never, () => undefined)).toEqual(handle)
      await next.stop(handle, 500)
      await next.remove(handle)
      expect(await platform.observe(handle)).toEqual({ state: 'gone' })
    })

    test('[STR-1.dial-refused] an unknown port, and a port of something that ended, are refused', async () => {
      const handle = await ensure()
      await expect(platform.dial(handle, 'nothing', never)).rejects.toThrow(/no port/)
      await platform.stop(handle, 0)
      await expect(platform.dial(handle, 'display', never)).rejects.toThrow(/not running/)
      await platform.remove(handle)
    })

    test('[STR-1.dial-display] the display port answers with a banner', async () => {
      const handle = await ensure(spec(['/usr/lib/kalnet/session', 'sleep', '1000']))
      const banner = () => firstBytes(platform, handle, 'display').catch(() => '')
      await expect.poll(banner, wait).toMatch(/^RFB 003\.008\n/)
      await platform.remove(handle)
    })

    onReal('[STR-1.dial-tcp] a TCP port on its loopback is reached', async () => {
      const script =
        'use IO::Socket; $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:8080") or die; while ($c = $s->accept) { print $c "told\\n"; close $c }'
      const web = { name: 'web', kind: 'tcp', at: { tcp: 8080 } } as const
      const handle = await ensure(
        spec(['perl', '-e', script], {
          ports: [web],
          network: subject.tcpNeedsNetwork ? 'internet' : 'none',
        }),
      )
      await expect.poll(() => firstBytes(platform, handle, 'web').catch(() => ''), wait).toBe('told\n')
      await platform.remove(handle)
    })

    onReal('[SES-1.stop-gracefully] programs are asked to end first', async () => {
      const script = 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'
      const handle = await ensure(spec(['bash', '-c', script]))
      await expect.poll(() => platform.logs(handle, 5), wait).toContain('up')
      await platform.stop(handle, LONG_MS)
      expect(await platform.logs(handle, 5)).toContain('bye')
      await platform.remove(handle)
    })

    onReal('[SES-1.whole-tree] what refuses to end is killed, with children that left the tree', async () => {
      const mark = `31${Math.floor(Math.random() * 1e9)}`
      const script = `trap "" TERM; (setsid bash -c 'trap "" TERM; sleep ${mark} & wait' &) ; echo up; sleep ${mark}`
      const handle = await ensure(spec(['bash', '-c', script]))
      const living = async () => (await commandLines()).filter((it) => it.startsWith(`sleep\0${mark}`)).length
      await expect.poll(living, wait).toBe(2)
      await platform.stop(handle, 300)
      expect(await living()).toBe(0)
      await platform.remove(handle)
    })

    onReal('[SES-1.leftovers] when the program ends, what it left in the background ends too', async () => {
      const mark = `32${Math.floor(Math.random() * 1e9)}`
      const handle = await ensure(spec(['bash', '-c', `(setsid sleep ${mark} &); sleep 0.3; exit 0`]))
      expect(await end(handle)).toMatchObject({ code: 0, reason: 'Its program ended' })
      expect((await commandLines()).some((it) => it.startsWith(`sleep\0${mark}`))).toBe(false)
      await platform.remove(handle)
    })

    onReal('[CTL-6.logs] the last lines of both outputs are kept', async () => {
      const { lines } = await inside('for i in $(seq 300); do echo line $i; done; echo problem >&2')
      expect(lines).toHaveLength(200)
      expect(lines).toContain('problem')
      expect(lines).toContain('line 300')
    })

    onReal(
      '[CTL-6.confined] uid 1000, no capability, no new privileges, a root that cannot be written',
      async () => {
        const { lines } = await inside(
          'id -u; grep -E "^(Cap|NoNewPrivs)" /proc/self/status; for at in / /usr /etc /var /bin; do touch $at/x 2>/dev/null && echo wrote $at; done; unshare --user true 2>/dev/null && echo userns; true',
        )
        expect(lines[0]).toBe('1000')
        expect(lines.filter((it) => it.startsWith('Cap')).every((it) => /\s0{16}$/.test(it))).toBe(true)
        expect(lines).toContain('NoNewPrivs:\t1')
        expect(lines.some((it) => it.startsWith('wrote'))).toBe(false)
        expect(lines).not.toContain('userns')
      },
    )

    onReal('[CTL-6.private] home, /tmp and /run/kalnet can be written and are its own', async () => {
      const write =
        'pwd; for at in ~ /tmp /run/kalnet; do ls -A $at | grep trace; echo mine > $at/trace && cat $at/trace; done; echo $HOME $GREETING'
      const first = await inside(write, { environment: { GREETING: 'hello; echo $(id)' } })
      const second = await inside(write)
      expect(first.lines).toEqual(['/home/user', 'mine', 'mine', 'mine', '/home/user hello; echo $(id)'])
      expect(second.lines).toEqual(['/home/user', 'mine', 'mine', 'mine', '/home/user'])
    })

    onReal('[CTL-6.invisible] processes and memory of others are not to be seen', async () => {
      const other = await ensure(spec(['sleep', '987654']))
      const { lines } = await inside(
        'cat /proc/[0-9]*/cmdline | tr "\\0" " "; echo; echo pid $$; ls /dev | tr "\\n" " "; echo; readlink /proc/self/fd/* | sort -u',
      )
      expect(lines.join('\n')).not.toMatch(/987654|vitest|systemd/)
      const { dev = '' } = { dev: lines.find((it) => it.includes('urandom')) }
      expect(dev).not.toMatch(/\b(sda|vda|kmsg|mem|tun|fuse)\b/)
      await platform.remove(other)
    })

    onReal('[STR-1.planted-link] a link planted in place of the display is not followed', async () => {
      const handle = await ensure(
        spec(['bash', '-c', 'ln -s /run/docker.sock /run/kalnet/display.sock; sleep 1000']),
      )
      await expect
        .poll(() => platform.dial(handle, 'display', never).catch((error: Error) => error.message), wait)
        .toMatch(/not a socket|ELOOP/)
      await platform.remove(handle)
    })

    onReal('[CTL-6.no-network] without network there is only its own loopback', async () => {
      const { lines } = await inside('tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')
      expect(
        lines.filter(
          (it) => !/^(tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$/.test(it),
        ),
      ).toEqual(['lo'])
    })

    onReal(
      '[CTL-6.filtered] with network the outside is reached; this machine, its LAN and private ranges are not',
      async (context) => {
        if (!subject.network) return context.skip('no network for instances on this machine')
        const server = createServer((socket) => socket.end('reached'))
        await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
        const address = server.address()
        const port = typeof address === 'object' ? address?.port : 0
        const own = Object.values(networkInterfaces())
          .flat()
          .filter((it) => it?.family === 'IPv4')
          .map((it) => it!.address)
        const targets = [...own, '10.0.0.1', '192.168.1.1', '172.17.0.1', '169.254.169.254', '10.213.0.1']
        const attempt = (at: string, on: number | undefined) =>
          `timeout 1 bash -c 'exec 3<>/dev/tcp/${at}/${on} && cat <&3' 2>/dev/null | grep -q . && echo reached ${at}`
        const script = [
          ...targets.map((it) => attempt(it, port)),
          ...(subject.outside ? [attempt(subject.outside.address, subject.outside.port)] : []),
          'true',
        ].join('\n')
        const { lines } = await inside(script, { network: 'internet' })
        server.close()
        expect(lines).toEqual(subject.outside ? [`reached ${subject.outside.address}`] : [])
      },
    )

    onReal(
      '[CTL-6.limits] memory and processes are limited, and running out of memory is said',
      async (context) => {
        if (!subject.limits) return context.skip('no limits on this machine')
        const memory = await inside('exec tail /dev/zero', { resources: { memoryBytes: 64 * 2 ** 20 } })
        expect(memory.observation.reason).toBe('It ran out of memory')
        const processes = await inside('for i in $(seq 80); do sleep 3 & done; wait', {
          resources: { processes: 32 },
        })
        expect(processes.lines.join('\n')).toMatch(/fork|Resource temporarily unavailable/)
      },
    )

    onReal('[SES-1.killed-by-hand] a program killed from outside is told so', async () => {
      const mark = `33${Math.floor(Math.random() * 1e9)}`
      const handle = await ensure(spec(['sleep', mark]))
      const find = async () => {
        const names = (await readdir('/proc')).filter((it) => /^\d+$/.test(it))
        for (const pid of names) {
          const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
          if (line === `sleep\0${mark}\0`) return Number(pid)
        }
        return 0
      }
      await expect.poll(find, wait).toBeGreaterThan(0)
      process.kill(await find(), 'SIGKILL')
      const observation = await end(handle)
      expect(observation.code).toBe(137)
      expect(observation.reason).toBe('It was killed from outside (signal 9)')
      await platform.remove(handle)
    })
  })
}
