/** Where data, sockets and configuration live (decisions.md): root, a user by XDG, or all under KALNET_HOME. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface Folders {
  data: string
  /** Sockets only: paths over 107 bytes fail. */
  runtime: string
  config: string
}

export function folders(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): Folders {
  if (env.KALNET_HOME) {
    const home = env.KALNET_HOME
    return { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  }
  if (uid === 0) return { data: '/var/lib/kalnet', runtime: '/run/kalnet', config: '/etc/kalnet' }
  const home = env.HOME ?? homedir()
  return {
    data: join(env.XDG_DATA_HOME ?? join(home, '.local/share'), 'kalnet'),
    runtime: env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'kalnet') : `/tmp/kalnet-${uid}`,
    config: join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'kalnet'),
  }
}
