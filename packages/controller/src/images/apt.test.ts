/** Which of the host's sources may build an image: Debian's own of the suite, in either format, and nobody else's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { debianSources, hostApt, readLines, readParagraphs } from './apt.ts'

const DEB822 = `# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
# within
Suites: bookworm-security
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/vendor.gpg

Enabled: no
Types: deb
URIs: http://old.example/debian
Suites: bookworm
Components: main
`

test('[TPL-4.host-sources] deb822: Debian of this suite is taken, a vendor and what is switched off are not', () => {
  expect(debianSources(readParagraphs(DEB822), 'bookworm')).toBe(
    [
      'deb http://mirror.example/debian bookworm main',
      'deb http://mirror.example/debian bookworm-updates main',
      'deb http://mirror.example/debian-security bookworm-security main',
      '',
    ].join('\n'),
  )
})

test('one-line sources', () => {
  const text = `deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/apt bookworm main
deb http://mirror.example/debian bookworm main contrib # ours
deb-src http://mirror.example/debian bookworm main
# deb http://old.example/debian bookworm main`
  expect(debianSources(readLines(text), 'bookworm')).toBe('deb http://mirror.example/debian bookworm main\n')
})

test('another suite, or none of it: the builder falls back to its own default', () => {
  expect(debianSources(readLines('deb http://mirror.example/debian trixie main'), 'bookworm')).toBe('')
  expect(debianSources(readLines('deb http://m.example/debian bookworm-security main'), 'bookworm')).toBe('')
  expect(debianSources([], 'bookworm')).toBe('')
})

test('all files of the host are read, and a host without any is fine', async () => {
  const root = mkdtempSync(join(tmpdir(), 'kalnet-apt-'))
  try {
    const signal = new AbortController().signal
    expect((await hostApt('bookworm', signal, root)).sources).toBe('')
    await mkdir(join(root, 'sources.list.d'))
    await writeFile(join(root, 'sources.list.d', 'debian.sources'), DEB822)
    await writeFile(
      join(root, 'sources.list.d', 'old.list.disabled'),
      'deb http://x.example/debian bookworm main',
    )
    expect((await hostApt('bookworm', signal, root)).sources.split('\n')).toHaveLength(4)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
