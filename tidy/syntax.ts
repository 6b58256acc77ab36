/**
 * Facts of every source file, from TypeScript's own parser: what it imports, what it exports, and how long its
 * functions are. The parser runs in the compiler's process (some 100 ms for the whole repository); its API is
 * marked unstable, and this is the only file that knows it.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ast from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';
import { ROOT } from './repository.ts';

export interface ImportFact {
  readonly specifier: string;
  readonly line: number;
  /** Imported names; `*` stands for all of them. */
  readonly names: readonly string[];
}

export interface ExportFact {
  readonly name: string;
  readonly line: number;
  /** Named again in this file outside of its own declaration: types are, when another export needs them. */
  readonly usedInFile: boolean;
  readonly isType: boolean;
}

export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export interface SourceFacts {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly ImportFact[];
  readonly exports: readonly ExportFact[];
  readonly functions: readonly FunctionFact[];
  /** Lines of default exports. */
  readonly defaultExports: readonly number[];
}

const CONFIG = fileURLToPath(new URL('./repository.tsconfig.json', import.meta.url));
/** Files that register tests: there a test does not count for the length of the function that registers it. */
const TEST_FILE = /\.(test|fuzz|bench)\.ts$|\/testing\/|^conformance\/src\/suites\//;

class FileReader {
  readonly #source: ast.SourceFile;
  readonly #text: string;
  readonly #lineStarts: readonly number[];
  readonly #imports: ImportFact[] = [];
  readonly #exported: { name: string; node: ast.Node; isType: boolean }[] = [];
  readonly #functions: FunctionFact[] = [];
  readonly #defaults: number[] = [];
  readonly #path: string;
  /** For every function around the current node, the lines of the tests it registers. */
  readonly #testLines: number[] = [];
  /** How often each identifier occurs. */
  readonly #occurrences = new Map<string, number>();

  constructor(source: ast.SourceFile) {
    this.#source = source;
    this.#path = relative(ROOT, source.fileName);
    this.#text = source.text;
    this.#lineStarts = ast.computeLineStarts(source.text);
  }

  #lineAt(position: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #line(node: ast.Node): number {
    return this.#lineAt(ast.skipTrivia(this.#text, node.pos));
  }

  facts(): SourceFacts {
    this.#source.forEachChild((node) => this.#statement(node));
    this.#source.forEachChild((node) => this.#visit(node));
    return {
      path: this.#path,
      text: this.#text,
      lines: this.#text.split('\n').length - 1,
      imports: this.#imports,
      exports: this.#exported.map(({ name, node, isType }) => ({
        name,
        line: this.#line(node),
        isType,
        usedInFile: (this.#occurrences.get(name) ?? 0) > countIdentifiers(node, name),
      })),
      functions: this.#functions,
      defaultExports: this.#defaults,
    };
  }

  /** Imports and exports, which are statements of the file itself. */
  #statement(node: ast.Node): void {
    if (ast.isImportDeclaration(node)) this.#import(node);
    else if (ast.isExportDeclaration(node)) this.#reExport(node);
    else if (ast.isExportAssignment(node)) this.#defaults.push(this.#line(node));
    else this.#declaration(node);
  }

  #addImport(specifier: ast.Node | undefined, node: ast.Node, names: readonly string[]): void {
    if (specifier && ast.isStringLiteral(specifier)) {
      this.#imports.push({ specifier: specifier.text, line: this.#line(node), names });
    }
  }

  #import(node: ast.ImportDeclaration): void {
    const clause = node.importClause;
    const names: string[] = [];
    if (clause?.name) names.push('default');
    const bindings = clause?.namedBindings;
    if (bindings && ast.isNamespaceImport(bindings)) names.push('*');
    else if (bindings && ast.isNamedImports(bindings)) {
      for (const element of bindings.elements) names.push((element.propertyName ?? element.name).text);
    }
    this.#addImport(node.moduleSpecifier, node, names);
  }

  #reExport(node: ast.ExportDeclaration): void {
    const clause = node.exportClause;
    if (!clause || !ast.isNamedExports(clause)) {
      this.#addImport(node.moduleSpecifier, node, ['*']);
      return;
    }
    const names = clause.elements.map((element) => (element.propertyName ?? element.name).text);
    this.#addImport(node.moduleSpecifier, node, names);
    for (const element of clause.elements) {
      if (element.name.text === 'default') this.#defaults.push(this.#line(element));
      // `export { a }` without a module exports what the file declares itself.
      if (!node.moduleSpecifier)
        this.#exported.push({ name: element.name.text, node: element, isType: false });
    }
  }

  #declaration(node: ast.Node): void {
    const modifiers = (node as { modifiers?: readonly ast.Node[] }).modifiers ?? [];
    const has = (kind: ast.SyntaxKind): boolean => modifiers.some((modifier) => modifier.kind === kind);
    if (!has(ast.SyntaxKind.ExportKeyword)) return;
    if (has(ast.SyntaxKind.DefaultKeyword)) {
      this.#defaults.push(this.#line(node));
      return;
    }
    if (ast.isVariableStatement(node)) {
      for (const declaration of node.declarationList.declarations) {
        if (ast.isIdentifier(declaration.name)) {
          this.#exported.push({ name: declaration.name.text, node: declaration, isType: false });
        }
      }
      return;
    }
    const name = (node as { name?: ast.Node }).name;
    if (name && ast.isIdentifier(name)) {
      // A class is a type as well: a function that returns it makes it part of what it exports.
      const isType =
        ast.isInterfaceDeclaration(node) || ast.isTypeAliasDeclaration(node) || ast.isClassDeclaration(node);
      this.#exported.push({ name: name.text, node, isType });
    }
  }

  #visit(node: ast.Node): void {
    if (ast.isIdentifier(node)) this.#occurrences.set(node.text, (this.#occurrences.get(node.text) ?? 0) + 1);
    if (ast.isCallExpression(node) && node.expression.kind === ast.SyntaxKind.ImportKeyword) {
      this.#addImport(node.arguments[0], node, ['*']);
    }
    // `typeof import('x')` and `import('x').Name`.
    if (ast.isImportTypeNode(node) && ast.isLiteralTypeNode(node.argument)) {
      this.#addImport(node.argument.literal, node, ['*']);
    }
    if (isFunction(node)) this.#function(node);
    else node.forEachChild((child) => this.#visit(child));
  }

  #function(node: ast.Node): void {
    this.#testLines.push(0);
    node.forEachChild((child) => this.#visit(child));
    const registered = this.#testLines.pop() ?? 0;
    const line = this.#line(node);
    const lines = this.#lineAt(node.end) - line + 1;
    this.#functions.push({ name: functionName(node), line, lines: lines - registered });
    const outer = this.#testLines.length - 1;
    if (outer >= 0)
      this.#testLines[outer] = (this.#testLines[outer] ?? 0) + (this.#isTest(node) ? lines : registered);
  }

  #isTest(node: ast.Node): boolean {
    const parent = node.parent;
    return (
      TEST_FILE.test(this.#path) &&
      parent !== undefined &&
      ast.isCallExpression(parent) &&
      parent.arguments.some(isTitle)
    );
  }
}

/** A title, also one that is put together. */
function isTitle(node: ast.Node): boolean {
  return (
    ast.isStringLiteral(node) || ast.isNoSubstitutionTemplateLiteral(node) || ast.isTemplateExpression(node)
  );
}

function isFunction(node: ast.Node): boolean {
  return (
    ast.isFunctionDeclaration(node) ||
    ast.isFunctionExpression(node) ||
    ast.isArrowFunction(node) ||
    ast.isMethodDeclaration(node) ||
    ast.isConstructorDeclaration(node) ||
    ast.isGetAccessorDeclaration(node) ||
    ast.isSetAccessorDeclaration(node)
  );
}

/** The declared name, or that of the variable, property or test which the function is given to. */
function functionName(node: ast.Node): string {
  const own = (node as { name?: ast.Node }).name ?? (node.parent as { name?: ast.Node } | undefined)?.name;
  if (own && (ast.isIdentifier(own) || ast.isStringLiteral(own) || ast.isPrivateIdentifier(own)))
    return own.text;
  if (ast.isConstructorDeclaration(node)) return 'constructor';
  if (node.parent && ast.isCallExpression(node.parent)) {
    const title = node.parent.arguments[0];
    if (title && ast.isStringLiteral(title)) return title.text;
  }
  return '(anonymous)';
}

function countIdentifiers(node: ast.Node, name: string): number {
  let count = ast.isIdentifier(node) && node.text === name ? 1 : 0;
  node.forEachChild((child) => {
    count += countIdentifiers(child, name);
  });
  return count;
}

/** Parses every source file of the repository. */
export function readSources(): readonly SourceFacts[] {
  const api = new API({ cwd: ROOT });
  try {
    const project = api.updateSnapshot({ openProject: CONFIG }).getProject(CONFIG);
    if (!project) throw new Error(`the parser did not open ${CONFIG}`);
    return project.rootFiles
      .map((file) => project.program.getSourceFile(file))
      .filter((source) => source !== undefined)
      .map((source) => new FileReader(source).facts());
  } finally {
    api.close();
  }
}
