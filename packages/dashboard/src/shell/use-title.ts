/** The name of the page in the browser's tab and for screen readers. */
import { useEffect } from 'react'
import * as m from '../messages/index.ts'

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === m.product ? title : `${title} · ${m.product}`
  }, [title])
}
