/** The whole audit, or what a filter leaves of it, as a stream: read as fast as the reader takes it, a page in memory. */
import { Readable } from 'node:stream'
import type { AuditFilter, AuditSegment, ExportFormat } from '@kalnet/contracts/audit'
import { cefLine, csvHead, csvRow, jsonLine } from './formats.ts'
import type { Search } from './search.ts'

export const EXPORT_TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/jsonl; charset=utf-8',
  cef: 'text/plain; charset=utf-8',
}

export interface ExportOptions {
  search: Search
  heads(organisationId: string): Promise<AuditSegment[]>
  version: string
}

export function createExport({ search, heads, version }: ExportOptions) {
  async function* lines(
    organisationId: string,
    format: ExportFormat,
    filter: AuditFilter,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    let rows = 0
    if (format === 'csv') yield csvHead()
    if (format === 'json') {
      yield jsonLine('kalnet.audit', { version: 1, organisationId, filter })
      // Before the rows, so that a reader checks them as they come and keeps none.
      for (const head of await heads(organisationId)) yield jsonLine('head', head)
    }
    for await (const page of search.walk(organisationId, filter, signal)) {
      rows += page.length
      const text = page.map((row) =>
        format === 'csv' ? csvRow(row) : format === 'cef' ? cefLine(row, version) : jsonLine('row', row),
      )
      yield text.join('')
    }
    if (format !== 'json') return
    // Without this line the file is not whole.
    yield jsonLine('end', { rows })
  }
  return (organisationId: string, format: ExportFormat, filter: AuditFilter): Readable => {
    const gone = new AbortController()
    const stream = Readable.from(lines(organisationId, format, filter, gone.signal), {
      objectMode: false,
      highWaterMark: 65_536,
    })
    stream.once('close', () => gone.abort())
    return stream
  }
}
