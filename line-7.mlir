// fp8gemm-compile --op=grouped_gemm --n=136 --k=400 --grouping=row_end --groups=4 --c=in_place --config='tile_m = 16, tile_n = 64, stages = 2, swap_ab = 1'
// hopper-simulate{m=300 seed=1 clusters=0 pad=0 group-sizes=70,0,130,90}
