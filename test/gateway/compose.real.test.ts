/** The rendered compose files, read by the real docker-compose: every key understood, every variable found. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderAll } from '@kalnet/cli/commands/render'
import { run } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['compose'], 'docker-compose understands the rendered files')
const ENVIRONMENT = { POSTGRES_PASSWORD: 'canary', TRAEFIK_KEY: 'canary-key' }

describe.skipIf(skip)('[NET-2.compose] the compose files, for docker-compose', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kalnet-compose-'))
    for (const [name, text] of Object.entries(
      renderAll({ open: [{ kind: 'udp', port: 30_000 }], dynamic: null }),
    ))
      if (!name.includes('/')) await writeFile(join(folder, name), text)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const check = (file: string, env: Record<string, string>) =>
    run('docker-compose', ['--project-directory', folder, '-f', join(folder, file), 'config'], {
      env: { PATH: process.env.PATH ?? '', ...env },
      timeoutMs: 60_000,
    })

  it.each(['docker-compose.yml', 'docker-compose.prod.yml'])('%s is understood', async (file) => {
    const { code, stdout, stderr } = await check(file, ENVIRONMENT)
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('postgres://kalnet:canary@postgres:5432/kalnet')
  })
  it.each(['docker-compose.yml', 'docker-compose.prod.yml'])(
    '%s without a password is refused, and says what to do',
    async (file) => {
      const { code, stderr } = await check(file, { TRAEFIK_KEY: 'canary-key' })
      expect(code).not.toBe(0)
      expect(stderr).toContain('choose one in .env')
    },
  )
})
