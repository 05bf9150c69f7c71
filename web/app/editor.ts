/** The editor of the page's files: CodeMirror with YAML. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { announce, h } from "./dom.js";
import { FileError, type FileSystem } from "./vfs.js";

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-key)" },
  { tag: tags.definition(tags.propertyName), color: "var(--code-key)" },
  { tag: [tags.string, tags.content], color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
]);

const notSaved = "Not saved";
const changedToo = "Not saved, and changed in the terminal: Save replaces that";

/** A file that has been opened: its text with what can be undone, and what it was when last read or written. */
interface Opened {
  state: EditorState;
  kept: string;
}

export class Editor {
  #view: EditorView;
  #select: HTMLSelectElement;
  #status = h("span", { class: "editor-status" });
  #path = "";
  #saving = false;
  #opened = new Map<string, Opened>();

  constructor(
    holder: HTMLElement,
    private readonly files: FileSystem,
    apply: (path: string) => void,
  ) {
    this.#select = h("select", { "aria-label": "File", change: () => this.open(this.#select.value) }) as HTMLSelectElement;
    const toolbar = h(
      "div",
      { class: "toolbar" },
      this.#select,
      h("button", { type: "button", click: () => this.#create() }, "New"),
      h("button", { type: "button", click: () => this.save() }, "Save"),
      h("button", { type: "button", class: "primary", click: () => this.save() && apply(this.#path) }, "Apply"),
      this.#status,
    );
    const host = h("div", { class: "code" });
    holder.replaceChildren(toolbar, host);
    this.#view = new EditorView({ parent: host, state: this.#state("") });
    files.subscribe((change) => {
      this.#listFiles();
      if (change.path === this.#path && !this.#saving) this.#changedElsewhere(change.kind === "absent");
    });
    this.#listFiles();
    const first = this.#names()[0];
    if (first) this.open(first);
  }

  /** Shows a file. What was typed into another and not saved is there again when that is shown. */
  open(path: string): void {
    try {
      const text = this.files.readText(path);
      const before = this.#opened.get(this.#path);
      if (before) before.state = this.#view.state;
      this.#path = this.files.resolve(path);
      let file = this.#opened.get(this.#path);
      if (!file || (file.kept !== text && !isEdited(file))) {
        file = { state: this.#state(text), kept: text };
        this.#opened.set(this.#path, file);
      }
      if (file.state !== this.#view.state) this.#view.setState(file.state);
      this.#select.value = this.#path;
      this.#status.textContent = !isEdited(file) ? "" : file.kept === text ? notSaved : changedToo;
    } catch (error) {
      this.#complain(path, error);
    }
  }

  /** The terminal has written or removed the file that is open: what was typed here stays. */
  #changedElsewhere(removed: boolean): void {
    if (removed) this.#status.textContent = "Removed: Save writes it anew";
    else this.open(this.#path);
  }

  /** The file that is open. */
  get path(): string {
    return this.#path;
  }

  focus(): void {
    this.#view.focus();
  }

  save(): boolean {
    try {
      this.#saving = true;
      this.#path ||= this.#unusedName(); // what is typed before any file is open becomes one
      const text = this.#view.state.doc.toString();
      this.files.write(this.#path, text);
      this.#opened.set(this.#path, { state: this.#view.state, kept: text });
      this.#select.value = this.#path;
      this.#status.textContent = "Saved";
      announce("Saved");
      return true;
    } catch (error) {
      this.#complain(this.#path, error);
      return false;
    } finally {
      this.#saving = false;
    }
  }

  #state(text: string): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        syntaxHighlighting(colors),
        yaml(),
        EditorView.contentAttributes.of({ "aria-label": "File content" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.#status.textContent = update.state.doc.toString() === this.#opened.get(this.#path)?.kept ? "" : notSaved;
        }),
        keymap.of([{ key: "Mod-s", run: () => this.save() }, indentWithTab, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
      ],
    });
  }

  #complain(path: string, error: unknown): void {
    this.#status.textContent = error instanceof FileError ? `${path}: ${error.message}` : String(error);
  }

  #names(): string[] {
    return this.files
      .list(this.files.home)
      .filter((name) => !name.startsWith(".") && !this.files.isDirectory(`${this.files.home}/${name}`))
      .map((name) => `${this.files.home}/${name}`);
  }

  #listFiles(): void {
    const names = this.#names();
    this.#select.replaceChildren(...names.map((path) => h("option", { value: path }, path.slice(this.files.home.length + 1))));
    this.#select.value = this.#path;
  }

  #create(): void {
    const path = this.#unusedName();
    this.files.write(path, "");
    this.open(path);
    this.focus();
  }

  #unusedName(): string {
    let number = 1;
    while (this.files.exists(`${this.files.home}/manifest-${number}.yaml`)) number++;
    return `${this.files.home}/manifest-${number}.yaml`;
  }
}

function isEdited({ state, kept }: Opened): boolean {
  return state.doc.toString() !== kept;
}
