/** How this machine gets its packages, passed on to the build: its own Debian sources, proxies and certificates. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'
import { run } from '@kalnet/io/spawn'

const SUITES = (suite: string) => [suite, `${suite}-updates`, `${suite}-security`]
const ARCHIVE_KEYRING = /debian-archive-keyring/

type Fields = Map<string, string>

/** deb822 paragraphs; comments are dropped, continuation lines joined. */
export function readParagraphs(text: string): Fields[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const fields: Fields = new Map()
      let current = ''
      for (const line of paragraph.split('\n')) {
        if (line.startsWith('#')) continue
        const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line)
        if (field?.[1]) {
          current = field[1].toLowerCase()
          fields.set(current, field[2]?.trim() ?? '')
        } else if (current && line.trim()) fields.set(current, `${fields.get(current)} ${line.trim()}`.trim())
      }
      return fields
    })
    .filter((fields) => fields.size > 0)
}

/** One-line sources (`deb [options] uri suite components`) as the same fields. */
export function readLines(text: string): Fields[] {
  return text.split('\n').flatMap((line) => {
    const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim())
    if (!found) return []
    const fields: Fields = new Map([
      ['types', 'deb'],
      ['uris', found[2] ?? ''],
      ['suites', found[3] ?? ''],
      ['components', (found[4] ?? '').replace(/#.*/, '').trim()],
    ])
    const signed = /signed-by=(\S+)/.exec(found[1] ?? '')
    if (signed?.[1]) fields.set('signed-by', signed[1])
    return [fields]
  })
}

/** Only Debian's own archive of this suite; somebody else's repositories never get into an image. */
export function debianSources(paragraphs: Fields[], suite: string): string {
  const words = (fields: Fields, name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean)
  const lines = paragraphs.flatMap((fields) => {
    const signed = fields.get('signed-by') ?? ''
    const isDebian =
      words(fields, 'types').includes('deb') &&
      words(fields, 'components').includes('main') &&
      fields.get('enabled') !== 'no' &&
      (signed === '' || ARCHIVE_KEYRING.test(signed))
    if (!isDebian) return []
    const suites = words(fields, 'suites').filter((name) => SUITES(suite).includes(name))
    return words(fields, 'uris').flatMap((uri) => suites.map((name) => `deb ${uri} ${name} main`))
  })
  return lines.some((line) => line.endsWith(` ${suite} main`)) ? `${[...new Set(lines)].join('\n')}\n` : ''
}

/** What of apt's configuration concerns the way to the archive. */
const WAY = /^Acquire::(?:(?:http|https|ftp)::.*|Check-Valid-Until|Check-Date|Retries|ForceIPv[46]) "/i

export interface AptSettings {
  /** Lines of sources; empty means mmdebstrap's own default. */
  sources: string
  /** Lines of apt configuration. */
  options: string
}

/** Reads the host's settings. On a host that is not Debian of this suite only the way (proxies) is taken over. */
export async function hostApt(suite: string, signal: AbortSignal, root = '/etc/apt'): Promise<AptSettings> {
  const parts = join(root, 'sources.list.d')
  const names = await readdir(parts).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const paragraphs = readLines((await readIfThere(join(root, 'sources.list'))) ?? '')
  for (const name of names.sort()) {
    const text = (await readIfThere(join(parts, name))) ?? ''
    if (name.endsWith('.sources')) paragraphs.push(...readParagraphs(text))
    if (name.endsWith('.list')) paragraphs.push(...readLines(text))
  }
  const dump = await run('apt-config', ['dump'], { signal })
  const options = dump.stdout.split('\n').filter((line) => WAY.test(line))
  return { sources: debianSources(paragraphs, suite), options: options.map((line) => `${line}\n`).join('') }
}
