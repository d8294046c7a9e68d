/** What every platform must do, II: nobody gets out of an instance, or sees into another. */
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect } from 'vitest'
import type { Fixture } from './fixture.ts'

export function describeWalls(fixture: Fixture): void {
  const { ensure, spec, inside, onReal } = fixture

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
    await fixture.platform.remove(other)
  })

  onReal('[CTL-6.no-network] without network there is only its own loopback', async (context) => {
    if (fixture.subject.alwaysConnected)
      return context.skip('here its walls keep it, which the next one shows')
    const { lines } = await inside('tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')
    expect(
      lines.filter((it) => !/^(tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$/.test(it)),
    ).toEqual(['lo'])
  })

  /** Which of these addresses answer a program inside, and which what counts as the internet. */
  async function reachedFrom(network: 'none' | 'internet'): Promise<string[]> {
    const server = createServer((socket) => socket.end('reached'))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const own = Object.values(networkInterfaces())
      .flat()
      .filter((it) => it?.family === 'IPv4')
      .map((it) => it!.address)
    const targets = [...own, '10.0.0.1', '192.168.1.1', '172.17.0.1', '169.254.169.254', '10.213.0.1']
    const outside = fixture.subject.outside
    // All at once: each refusal may take whole two seconds. What must be reached gets the time of a busy machine.
    const script = [
      't() { timeout $3 bash -c "exec 3<>/dev/tcp/$1/$2 && cat <&3" 2>/dev/null | grep -q . && echo reached $1; }',
      ...targets.map((it) => `t ${it} ${port} 2 &`),
      ...(outside ? [`t ${outside.address} ${outside.port} ${network === 'internet' ? 30 : 2} &`] : []),
      'wait',
    ].join('\n')
    const { lines } = await inside(script, { network })
    server.close()
    return lines
  }

  onReal(
    '[CTL-6.filtered] with network the outside is reached; this machine, its LAN and private ranges are not',
    async (context) => {
      if (!fixture.subject.network) return context.skip('no network for instances on this machine')
      const { outside } = fixture.subject
      expect(await reachedFrom('internet')).toEqual(outside ? [`reached ${outside.address}`] : [])
    },
  )

  onReal(
    '[CTL-6.no-network-reached] without network nothing is reached, whatever devices there are',
    async (context) => {
      if (!fixture.subject.alwaysConnected) return context.skip('it has no device, which another test shows')
      expect(await reachedFrom('none')).toEqual([])
    },
  )

  onReal(
    '[CTL-6.limits] memory and processes are limited, and running out of memory is said',
    async (context) => {
      if (!fixture.subject.limits) return context.skip('no limits on this machine')
      // What it holds is said, so that an end for another reason or a limit that is not kept are no success.
      const hold = '$| = 1; for (1 .. 64) { push @all, "x" x 8388608; print $_ * 8, "\\n" }'
      const memory = await inside(`exec perl -e '${hold}'`, { resources: { memoryBytes: 64 * 2 ** 20 } })
      expect(Number(memory.lines.at(-1) ?? 0)).toBeLessThan(64)
      const { unsureOfKill } = fixture.subject
      const reasons = ['It ran out of memory', ...(unsureOfKill ? [unsureOfKill] : [])]
      expect(reasons).toContain(memory.observation.reason)
      if (fixture.subject.noProcessLimit) return
      const processes = await inside('for i in $(seq 80); do sleep 3 & done; wait', {
        resources: { processes: 32 },
      })
      expect(processes.lines.join('\n')).toMatch(/fork|Resource temporarily unavailable/)
    },
  )
}
