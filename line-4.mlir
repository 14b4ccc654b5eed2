// fp8gemm-compile --op=grouped_gemm --n=136 --k=400 --grouping=row_count --groups=3 --d-type=f32 --c=in_place --config='tile_m = 128, tile_n = 64, stages = 2, split_k = 2'
// hopper-simulate{m=100 seed=1 clusters=0 pad=0 group-sizes=70,0,100}
