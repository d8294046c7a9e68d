/** What a browser fetches before a page can be used, from the build's manifest: files and compressed bytes. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

interface Chunk {
  file: string
  css?: string[]
  imports?: string[]
  assets?: string[]
}
export interface Load {
  files: { file: string; bytes: number }[]
  bytes: number
}

/** The one font file that English and most of western Europe need; the others wait for their letters. */
const FONT = /inter-latin-(?!ext-).*\.woff2$/

/** What comes on top of the entry: Home, and what it asks for by itself. */
const HOME = ['src/home/home.tsx', 'src/home/services.tsx']

export function firstLoad(folder: string, pages = HOME): Load {
  const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    Chunk
  >
  const files = new Set<string>(['index.html', 'theme.js', 'favicon.svg'])
  const seen = new Set<string>()
  const walk = (name: string) => {
    const chunk = manifest[name]
    if (!chunk) throw new Error(`the manifest has no ${name}`)
    if (seen.has(name)) return
    seen.add(name)
    files.add(chunk.file)
    for (const css of chunk.css ?? []) files.add(css)
    for (const asset of chunk.assets ?? []) if (FONT.test(asset)) files.add(asset)
    chunk.imports?.forEach(walk)
  }
  walk('index.html')
  pages.forEach(walk)
  const sizes = [...files].map((file) => {
    const small = join(folder, `${file}.br`)
    return { file, bytes: statSync(existsSync(small) ? small : join(folder, file)).size }
  })
  return {
    files: sizes.sort((one, other) => other.bytes - one.bytes),
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** Every lazy chunk that a page may still ask for, by its source. */
export function chunksOf(folder: string): string[] {
  return Object.keys(JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as object)
}
