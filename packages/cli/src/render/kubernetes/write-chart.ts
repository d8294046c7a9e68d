/** Writes deploy/chart/kalnet, deploy/kubernetes/kalnet.yaml and the table of docs/kubernetes-install.md; a test says when they are not current. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ROOT, VERSION } from '../../tree.ts'
import { chartFiles, withTable } from './chart.ts'
import { plainFile } from './plain.ts'

const page = join(ROOT, 'docs/kubernetes-install.md')
for (const [name, content] of Object.entries(chartFiles(VERSION))) {
  const path = join(ROOT, 'deploy/chart/kalnet', name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}
await mkdir(join(ROOT, 'deploy/kubernetes'), { recursive: true })
await writeFile(
  join(ROOT, 'deploy/kubernetes/kalnet.yaml'),
  plainFile({}, { name: 'kalnet', namespace: 'kalnet' }),
)
await writeFile(page, withTable(await readFile(page, 'utf8')))
