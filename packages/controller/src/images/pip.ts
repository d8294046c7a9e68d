/** How this machine gets packages of PyPI, passed on to a pip in another root: as its environment, so that no file of it can stay there. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'

/** Where the certificates lie inside while it runs. */
export const INSIDE = '/tmp/kalnet-certificates.pem'
const SYSTEM = '/etc/ssl/certs/ca-certificates.crt'
/** Sections that concern an installation, the later ones count more; what is in others is of no use here. */
const SECTIONS = ['global', 'download', 'install']
/** What concerns the way to the packages. Other folders of this machine do not exist in the root. */
const WAY = /^(index-url|extra-index-url|proxy|trusted-host|timeout|default-timeout|retries|no-index)$/

/** pip.conf: sections of `key = value`, where indented lines continue a value. */
export function readPipConf(text: string): Map<string, string> {
  const found = new Map<string, Map<string, string>>()
  let section = new Map<string, string>()
  let key = ''
  for (const line of text.split('\n')) {
    const head = /^\[(.+)\]\s*$/.exec(line)
    const pair = /^([A-Za-z][\w-]*)\s*[=:]\s*(.*)$/.exec(line)
    if (/^\s*([#;].*)?$/.test(line)) continue
    if (head?.[1]) {
      section = found.get(head[1]) ?? new Map()
      found.set(head[1], section)
    } else if (pair?.[1]) {
      key = pair[1].toLowerCase().replaceAll('_', '-')
      section.set(key, pair[2]?.trim() ?? '')
    } else if (key && /^\s/.test(line)) section.set(key, `${section.get(key)} ${line.trim()}`.trim())
  }
  return new Map(SECTIONS.flatMap((name) => [...(found.get(name) ?? [])]))
}

export interface PipSettings {
  environment: NodeJS.ProcessEnv
  /** Authorities that this machine trusts; null: those that the root knows. */
  certificates: string | null
}

const configFiles = (env: NodeJS.ProcessEnv): string[] => {
  const home = env.HOME ?? homedir()
  const own = [
    join(home, '.pip/pip.conf'),
    join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'pip/pip.conf'),
  ]
  return [
    '/etc/xdg/pip/pip.conf',
    '/etc/pip.conf',
    ...own,
    ...(env.PIP_CONFIG_FILE ? [env.PIP_CONFIG_FILE] : []),
  ]
}

/** The files as pip reads them, then what the environment says. */
export async function hostPip(env: NodeJS.ProcessEnv, files = configFiles(env)): Promise<PipSettings> {
  const settings = new Map<string, string>()
  for (const file of files)
    for (const [key, value] of readPipConf((await readIfThere(file)) ?? '')) settings.set(key, value)
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('PIP_') && value !== undefined)
      settings.set(name.slice(4).toLowerCase().replaceAll('_', '-'), value)
  const trusted = settings.get('cert') ?? env.REQUESTS_CA_BUNDLE ?? env.SSL_CERT_FILE ?? SYSTEM
  const certificates = await readIfThere(trusted)
  const environment: NodeJS.ProcessEnv = { PIP_CONFIG_FILE: '/dev/null' }
  // Whatever else the environment says of pip would be about this machine's folders.
  for (const name of Object.keys(env)) if (name.startsWith('PIP_')) environment[name] ??= undefined
  for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'])
    environment[name] = undefined
  for (const [key, value] of settings)
    if (WAY.test(key) && value) environment[`PIP_${key.toUpperCase().replaceAll('-', '_')}`] = value
  if (certificates !== null) environment.PIP_CERT = INSIDE
  return { environment, certificates }
}
