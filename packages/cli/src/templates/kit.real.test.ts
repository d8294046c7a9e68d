/** `kalnet templates test` on a real sandbox: a template as `new` wrote it draws its first frame. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDemanded, missing, testCache } from '@kalnet/controller/platforms/testing'
import { expect, test } from 'vitest'
import { cli } from '../testing.ts'
import { ROOT } from '../tree.ts'

const lacks = process.getuid?.() === 0 ? await missing(['bwrap', 'mmdebstrap', 'flock']) : 'root'
const LIMIT_MS = 20 * 60_000

if (lacks && !isDemanded) test.skip(`a new template draws its first frame: ${lacks} is missing`)
else
  test(
    '[TPL-4.kit] a template as `new` wrote it is built, draws its first frame, and its picture is kept',
    async () => {
      const home = await mkdtemp(join(tmpdir(), 'kal-kit-'))
      try {
        const catalog = join(home, 'catalog')
        await cp(join(ROOT, 'catalog'), catalog, { recursive: true })
        await mkdir(join(home, 'data'))
        // Kept between runs: the id never changes, so neither does what is built.
        await mkdir(join(testCache, 'images'), { recursive: true })
        await symlink(join(testCache, 'images'), join(home, 'data/images'))
        const kit = (...args: string[]) => cli(home, 'templates', ...args, '--catalog', catalog)
        expect((await kit('new', 'kit-proof')).code).toBe(0)
        const { code, out, err } = await kit('test', 'kit-proof', '--proof', '--json')
        expect(code, out + err).toBe(0)
        const [proved] = JSON.parse(out).items
        expect(proved).toMatchObject({ id: 'kit-proof', platform: 'process', version: '0.1.0' })
        expect(proved.sizeBytes).toBeGreaterThan(0)
        expect(proved.firstFrameMs).toBeGreaterThan(0)
        expect((await readFile(proved.picture)).subarray(1, 4).toString()).toBe('PNG')
        expect(JSON.parse(await readFile(join(catalog, 'proved.json'), 'utf8'))['kit-proof'].version).toBe(
          '0.1.0',
        )
      } finally {
        await rm(home, { recursive: true, force: true })
      }
    },
    LIMIT_MS,
  )
