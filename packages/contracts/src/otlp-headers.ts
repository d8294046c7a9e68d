/** Whether a text is headers for a collector, as OTEL_EXPORTER_OTLP_HEADERS writes them. */

/** Our own say how it is written. */
const WRITTEN_BY_US = /^content-(type|encoding|length)$/i
/** `name=value,name=value`; a value may be written as in an address. */
export function areHeaders(text: string): boolean {
  try {
    return text.split(',').every((pair) => {
      const [, name = '', value = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=([\x20-\x7e]*)$/.exec(pair) ?? []
      return name !== '' && !WRITTEN_BY_US.test(name) && /^[\x20-\x7e]*$/.test(decodeURIComponent(value))
    })
  } catch {
    // A sign that is none.
    return false
  }
}
