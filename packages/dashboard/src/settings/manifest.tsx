/** The manifest of a cluster, once: to copy, to keep as a file, and whether it was applied. */
import { Download } from 'lucide-react'
import type { ReactNode } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { CopyButton } from '../ui/parts.tsx'
import { saveText } from '../ui/save-text.ts'
import css from './settings.module.css'

const FILE = 'kalnet-controller.yaml'
/** A region that scrolls must be reachable by keyboard (axe: scrollable-region-focusable). */
const REACHABLE = { tabIndex: 0 }

interface ManifestProps {
  text: string
  joining: ReactNode
  onClose: () => void
}
export function Manifest({ text, joining, onClose }: ManifestProps) {
  return (
    <Dialog title={m.manifestTitle} onClose={onClose}>
      <section className={css.manifest} {...REACHABLE} aria-label={m.manifestLabel} data-manifest>
        <pre>{text}</pre>
      </section>
      <pre className={css.command}>{m.manifestText(FILE)}</pre>
      <DialogText>{m.manifestWord}</DialogText>
      {joining}
      <DialogActions>
        <CopyButton text={text} />
        <Button look="soft" icon={<Download aria-hidden />} onPress={() => saveText(FILE, text)}>
          {m.manifestDownload}
        </Button>
        <Button look="primary" onPress={onClose}>
          {m.close}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
