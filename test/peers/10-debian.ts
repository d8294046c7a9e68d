/** The programs that come from Debian, installed in one go: sandboxes, displays, a browser, the programs compared with. */
import { access, constants, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Peer } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'

/** Program or file that shows the package is there → package. */
const PACKAGES: Record<string, string> = {
  '/usr/bin/bwrap': 'bubblewrap',
  '/usr/bin/mmdebstrap': 'mmdebstrap',
  '/usr/bin/pasta': 'passt',
  '/usr/bin/newuidmap': 'uidmap',
  '/usr/sbin/iptables': 'iptables',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/Xtigervnc': 'tigervnc-standalone-server',
  '/usr/bin/websockify': 'websockify',
  '/usr/bin/xterm': 'xterm',
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf': 'fonts-dejavu-core',
  '/usr/sbin/dockerd': 'docker.io',
  '/usr/bin/docker-compose': 'docker-compose',
  '/usr/bin/setpriv': 'util-linux',
  '/usr/bin/dig': 'bind9-dnsutils',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/ufw': 'ufw',
  '/usr/bin/smbclient': 'smbclient',
  '/usr/bin/certutil': 'libnss3-tools',
  '/usr/bin/docker-registry': 'docker-registry',
}

/** Makes tests quicker, and is not in every release: without it they take what is there. */
const WELCOME: Record<string, string> = { '/usr/bin/chromium-headless-shell': 'chromium-headless-shell' }

const there = (path: string) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  )

/** Debian puts `ip` into /bin or /usr/bin by release. */
const hasIp = async () =>
  (await there('/usr/bin/ip')) || (await there('/bin/ip')) || (await there('/usr/sbin/ip'))

export const peer: Peer = {
  name: "Debian's programs",
  proves: 'sandboxes, displays, the browser journeys, the comparison with websockify',
  async ensure({ env, signal, say }) {
    const missing: string[] = (await hasIp()) ? [] : ['iproute2']
    for (const [path, name] of Object.entries(PACKAGES)) if (!(await there(path))) missing.push(name)
    const welcome: string[] = []
    for (const [path, name] of Object.entries(WELCOME)) if (!(await there(path))) welcome.push(name)
    const isRoot = process.getuid?.() === 0
    if (missing.length === 0 && (welcome.length === 0 || !isRoot)) return
    if (!isRoot)
      throw new Error(
        `missing ${missing.join(', ')}: sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
      )
    const apt = (...args: string[]) =>
      must('apt-get', ['-q', ...args], {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        timeoutMs: 900_000,
        signal,
        onLine: say,
      })
    const lists = await readdir('/var/lib/apt/lists').catch(() => [])
    if (!lists.some((name) => name.includes('_Packages'))) await apt('update')
    const install = (names: string[]) => apt('install', '-y', '--no-install-recommends', ...names)
    if (missing.length > 0)
      await install(missing).catch(async () => {
        // Old lists name files that are gone: read them afresh and try once more.
        await apt('update')
        await install(missing)
      })
    if (welcome.length > 0) await install(welcome).catch(() => say(`without ${welcome.join(', ')}`))
    for (const path of Object.keys(PACKAGES))
      if (!(await there(path))) throw new Error(`${join(path)} is still not there`)
  },
}
