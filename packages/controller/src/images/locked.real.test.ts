/** Images with packages of npm and PyPI as they are really built (kept between runs): what is in them, and what must not be. */
import { mkdtempSync, rmSync } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recipe } from '@kalnet/contracts/recipe'
import { createLog } from '@kalnet/io/log'
import { packText } from '@kalnet/io/recipe-locks'
import { must } from '@kalnet/io/spawn'
import { describe, expect, test } from 'vitest'
import { isDemanded, missing, recipeChainOf, testImages } from '../platforms/testing.ts'
import { createImages } from './images.ts'

const lacks = await missing(['mmdebstrap', 'flock', 'npm'])
const never = new AbortController().signal
const rootOf = (name: string) => testImages().ensureRoot(recipeChainOf(name), never, () => undefined)
const LIMIT_MS = 900_000

if (lacks && !isDemanded) test.skip(`images with locked packages: ${lacks} is missing`)
else
  describe('packages by lock', () => {
    test(
      '[TPL-4.locked] npm: exactly what is locked, for one processor, and its versions are kept',
      async () => {
        const root = await rootOf('tiddlywiki')
        const text = await readFile(join(root, 'opt/tiddlywiki/node_modules/tiddlywiki/package.json'), 'utf8')
        expect(JSON.parse(text).version).toBe('5.4.1')
        expect(
          (await readdir(join(root, 'opt/node/node_modules'))).filter((name) => /^node-/.test(name)),
        ).toHaveLength(1)
        expect((await lstat(join(root, 'usr/local/bin/node'))).isSymbolicLink()).toBe(true)
        const versions = await readFile(join(root, '..', 'packages.txt'), 'utf8')
        expect(versions).toMatch(/^npm:tiddlywiki 5\.4\.1$/m)
        expect(versions).toMatch(/^npm:node-linux-\w+ 24\./m)
        expect(versions).toMatch(/^ca-certificates \d+/m)
      },
      LIMIT_MS,
    )

    test(
      '[TPL-4.locked] PyPI: an environment of its own with exactly what is locked, without pip',
      async () => {
        const root = await rootOf('radicale')
        const versions = await readFile(join(root, '..', 'packages.txt'), 'utf8')
        expect(versions).toMatch(/^pypi:radicale 3\.9\.0$/im)
        expect(versions.match(/^pypi:/gm)).toHaveLength(14)
        expect(await readdir(join(root, 'opt/radicale/bin'))).not.toContain('pip')
        const bind = ['--ro-bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--unshare-all']
        const ran = await must('bwrap', [
          ...bind,
          '/opt/radicale/bin/python',
          '-c',
          'import radicale; print(radicale.VERSION)',
        ])
        expect(ran.stdout.trim()).toBe('3.9.0')
      },
      LIMIT_MS,
    )

    test(
      "[TPL-4.host-way] nothing of the machine's way to the packages stays in the image",
      async () => {
        for (const name of ['radicale', 'tiddlywiki']) {
          const root = await rootOf(name)
          const left = await must('find', [
            ...[
              root,
              '-name',
              '.npmrc',
              '-o',
              '-name',
              'npmrc',
              '-o',
              '-name',
              'pip.conf',
              '-o',
              '-name',
              '_cacache',
            ],
            ...['-o', '-name', 'kalnet-certificates.pem', '-o', '-name', 'kalnet-requirements.txt'],
          ])
          expect(left.stdout).toBe('')
          expect(await readdir(join(root, 'tmp'))).toEqual([])
          expect(await readFile(join(root, 'etc/resolv.conf'), 'utf8')).toBe('')
          expect(await readFile(join(root, 'etc/hosts'), 'utf8')).toBe(
            '127.0.0.1 localhost kalnet\n::1 localhost\n',
          )
        }
      },
      LIMIT_MS,
    )

    test(
      '[TPL-4.locked] what is not as its hash says is refused, and no image is left',
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'kalnet-locked-'))
        const manifest = packText(
          JSON.stringify({ name: 'x', version: '1.0.0', dependencies: { tiddlywiki: '5.4.1' } }),
        )
        const wrong = `sha512-${'A'.repeat(86)}==`
        const packages = {
          '': { name: 'x', version: '1.0.0', dependencies: { tiddlywiki: '5.4.1' } },
          'node_modules/tiddlywiki': { version: '5.4.1', integrity: wrong },
        }
        const lock = packText(
          JSON.stringify({ name: 'x', version: '1.0.0', lockfileVersion: 3, requires: true, packages }),
        )
        const images = createImages({ folder, log: createLog('test', 'silent') })
        const chain = [recipe.parse({ name: 'x', npm: { manifest, lock } })]
        try {
          await expect(images.ensureRoot(chain, never, () => undefined)).rejects.toThrow(
            /integrity|EINTEGRITY/i,
          )
          const swapped = [
            recipe.parse({ name: 'x', npm: { manifest, lock: { ...lock, packed: manifest.packed } } }),
          ]
          await expect(images.ensureRoot(swapped, never, () => undefined)).rejects.toThrow(
            /not what its hash says/,
          )
          expect(await images.list()).toEqual([])
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      },
      LIMIT_MS,
    )
  })
