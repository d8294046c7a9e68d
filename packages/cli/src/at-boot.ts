/** `up --at-boot`: a systemd unit, the system's for root and the user's own otherwise. */
import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { writeWhole } from '@kalnet/io/files'
import { must } from '@kalnet/io/spawn'
import type { Context } from './context.ts'
import { refused } from './problem.ts'
import { type ListenFlags, listenArguments } from './settings.ts'
import { ROOT } from './tree.ts'

/** systemd's own quoting (systemd.syntax(7)): percent and dollar signs are doubled, quotes and backslashes escaped. */
const quoted = (word: string) =>
  `"${word.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/%/g, '%%').replace(/\$/g, '$$$$')}"`

export function unitText(args: readonly string[], env: Record<string, string>, system: boolean): string {
  const settings = Object.entries(env).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  return `# Made by \`kalnet up --at-boot\`; it writes this file afresh each time.
[Unit]
Description=Kalnet
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${args.map(quoted).join(' ')}
${settings.length > 0 ? `${settings.join('\n')}\n` : ''}# Only the supervisor is told to end: a restart of ours never stops a session.
KillMode=process
Delegate=yes
Restart=always
RestartSec=2
TimeoutStopSec=90

[Install]
WantedBy=${system ? 'multi-user.target' : 'default.target'}
`
}

export async function installUnit({ output, uid, env, signal }: Context, flags: ListenFlags): Promise<void> {
  if (!existsSync('/run/systemd/system'))
    throw refused(
      `${hostname()} does not run systemd, so nothing can be started at boot this way.`,
      'Have your own init run `kalnet up --foreground`, or run `kalnet up` by hand.',
    )
  const system = uid === 0
  const folder = system
    ? '/etc/systemd/system'
    : join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? '', '.config'), 'systemd/user')
  const words = [join(ROOT, 'kalnet'), 'up', '--foreground', '--no-install', ...listenArguments(flags)]
  const kept: Record<string, string> = env.KALNET_HOME ? { KALNET_HOME: env.KALNET_HOME } : {}
  await writeWhole(join(folder, 'kalnet.service'), unitText(words, kept, system), 0o644)
  const systemctl = (...args: string[]) =>
    must('systemctl', [...(system ? [] : ['--user']), ...args], { signal })
  await systemctl('daemon-reload')
  await systemctl('enable', 'kalnet.service')
  // Already running by hand: systemd takes over at the next boot, nothing is stopped for it now.
  await systemctl('start', 'kalnet.service')
  if (!system) await must('loginctl', ['enable-linger', userInfo().username], { signal })
  output.result(`Kalnet starts at every boot (${join(folder, 'kalnet.service')}).`, {
    unit: join(folder, 'kalnet.service'),
  })
}
