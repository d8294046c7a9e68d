/** The record as a file, with the filter that is on. */

import { ROUTES } from 'virtual:contracts'
import type { ExportFormat } from '@kalnet/contracts/audit'
import { Download } from 'lucide-react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Menu } from '../ui/menu.tsx'
import type { Filter } from './queries.ts'

/** The browser fetches it itself: a file of any size passes by the page's memory. */
function download(format: ExportFormat, filter: Filter): void {
  const query = new URLSearchParams({ format })
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value)
  const link = document.createElement('a')
  link.href = `${ROUTES.audit.export.path}?${query}`
  link.download = ''
  link.click()
}

export default function Export({ filter }: { filter: Filter }) {
  const action = (format: ExportFormat, label: string, hint: string) => ({
    id: format,
    label,
    hint,
    onAction: () => download(format, filter),
  })
  return (
    <Menu
      label={m.recordExport}
      trigger={<Button icon={<Download aria-hidden />}>{m.recordExport}</Button>}
      actions={[
        action('csv', m.exportCsv, m.exportCsvHint),
        action('json', m.exportJson, m.exportJsonHint),
        action('cef', m.exportCef, m.exportCefHint),
      ]}
    />
  )
}
